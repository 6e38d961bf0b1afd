import { describe, expect, it } from '@jest/globals';
import { revisionApp } from '../../domain/revision-app.ts';
import { definitionDifferences } from './stored-definition.ts';

const WANTED = revisionApp({
  environment: 'prod',
  service: 'web',
  revision: 'r1',
  bundle: 'b-1',
  image: 'registry:5000/web@sha256:aa',
  env: { COLOUR: 'blue' },
  cpus: 0.1,
  memoryMiB: 64,
  healthPath: '/healthz',
  startSeconds: 30,
  instances: 2,
  agentAttribute: { name: 'env', value: 'prod' },
});

/** As Marathon 1.7 answers: ports assigned, empty collections left out, its own fields added. */
const STORED = {
  ...WANTED,
  instances: 5,
  disk: 0,
  gpus: 0,
  executor: '',
  version: '2026-01-01T00:00:00.000Z',
  container: {
    type: 'DOCKER',
    docker: { forcePullImage: false, image: 'registry:5000/web@sha256:aa', privileged: false },
  },
  portDefinitions: [{ port: 10_004, name: 'http', protocol: 'tcp' }],
  healthChecks: [{ ...WANTED.healthChecks[0], ignoreHttp1xx: false }],
};

describe('definitionDifferences', () => {
  it("takes Marathon's own additions for none", () => {
    expect(definitionDifferences(WANTED, STORED)).toEqual([]);
  });

  it.each([
    [
      'another image',
      { container: { type: 'DOCKER', docker: { image: 'b', forcePullImage: false } } },
      'container.docker.image',
    ],
    ['another value', { env: { ...WANTED.env, COLOUR: 'red' } }, 'env.COLOUR'],
    ['a variable more', { env: { ...WANTED.env, MORE: '1' } }, 'env.MORE'],
    ['no variable', { env: undefined }, 'env'],
    ['a variable less', { env: { SLIPWAY_SERVICE: 'web' } }, 'env.COLOUR'],
    ['a label more', { labels: { ...WANTED.labels, x: 'y' } }, 'labels.x'],
    ['no constraint', { constraints: undefined }, 'constraints'],
    ['another constraint', { constraints: [['env', 'LIKE', '^uat$']] }, 'constraints[0][2]'],
    ['a constraint more', { constraints: [...WANTED.constraints, ['hostname', 'UNIQUE']] }, 'constraints'],
    ['another network', { networks: [{ mode: 'container/bridge' }] }, 'networks[0].mode'],
    [
      'another grace',
      { healthChecks: [{ ...WANTED.healthChecks[0], gracePeriodSeconds: 300 }] },
      'healthChecks[0].gracePeriodSeconds',
    ],
    ['a port less', { portDefinitions: [] }, 'portDefinitions'],
  ])('finds %s', (_name, change, path) => {
    expect(definitionDifferences(WANTED, { ...STORED, ...change }).map((difference) => difference.path)).toContain(
      path,
    );
  });

  it('does not show values of variables, which may be secret', () => {
    const stored = { ...STORED, env: { ...WANTED.env, COLOUR: 'red' } };
    expect(definitionDifferences(WANTED, stored)).toEqual([
      { path: 'env.COLOUR', wanted: '(hidden)', stored: '(hidden, different)' },
    ]);
  });

  it('does not mind the order of sets', () => {
    const constraints = [
      ['hostname', 'UNIQUE'],
      ['env', 'LIKE', '^prod$'],
    ];
    expect(definitionDifferences({ constraints }, { constraints: constraints.toReversed() })).toEqual([]);
  });
});
