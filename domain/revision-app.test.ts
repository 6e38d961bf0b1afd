import { describe, expect, it } from '@jest/globals';
import { type RevisionSpec, revisionApp } from './revision-app.ts';

const SPEC: RevisionSpec = {
  environment: 'prod',
  service: 'web',
  revision: 'r7',
  bundle: 'b-0123456789abcdef',
  image: 'registry:5000/web@sha256:aa',
  env: { COLOUR: 'blue' },
  cpus: 0.1,
  memoryMiB: 64,
  healthPath: '/healthz',
  startSeconds: 30,
  instances: 2,
  agentAttribute: { name: 'env', value: 'prod' },
};

describe('revisionApp', () => {
  it('is one app per revision, by digest, on agents of its environment only', () => {
    expect(revisionApp(SPEC)).toMatchObject({
      id: '/prod/web/r7',
      instances: 2,
      cpus: 0.1,
      mem: 64,
      container: { docker: { image: 'registry:5000/web@sha256:aa', forcePullImage: false, parameters: [] } },
      networks: [{ mode: 'host' }],
      portDefinitions: [{ port: 0, name: 'http', protocol: 'tcp' }],
      constraints: [['env', 'LIKE', '^prod$']],
      labels: {
        'slipway.service': 'web',
        'slipway.environment': 'prod',
        'slipway.revision': 'r7',
        'slipway.bundle': 'b-0123456789abcdef',
      },
    });
    expect(revisionApp(SPEC)).not.toHaveProperty('cmd');
  });

  it('checks health soon, and counts no failure while the instance starts', () => {
    expect(revisionApp(SPEC).healthChecks).toEqual([
      {
        protocol: 'MESOS_HTTP',
        path: '/healthz',
        portIndex: 0,
        gracePeriodSeconds: 30,
        intervalSeconds: 2,
        timeoutSeconds: 2,
        maxConsecutiveFailures: 3,
        delaySeconds: 0,
      },
    ]);
    const check = { protocol: 'HTTP', intervalSeconds: 1, timeoutSeconds: 3, maxConsecutiveFailures: 5 } as const;
    const [own] = revisionApp({ ...SPEC, check }).healthChecks;
    expect(own).toMatchObject(check);
    expect(own).not.toHaveProperty('delaySeconds');
  });

  it("lets the service's own settings win", () => {
    const app = revisionApp({ ...SPEC, env: { COLOUR: 'red', SLIPWAY_SERVICE: 'mine' } });
    expect(app.env).toEqual({
      COLOUR: 'red',
      SLIPWAY_SERVICE: 'mine',
      SLIPWAY_ENVIRONMENT: 'prod',
      SLIPWAY_REVISION: 'r7',
    });
  });

  it('takes what is optional', () => {
    const app = revisionApp({
      ...SPEC,
      ports: ['http', 'admin'],
      command: 'exec /server',
      dockerParameters: [{ key: 'label', value: 'a=b' }],
      stopSeconds: 5,
    });
    expect(app.portDefinitions.map((port) => port.name)).toEqual(['http', 'admin']);
    expect(app.cmd).toBe('exec /server');
    expect(app.container.docker.parameters).toEqual([{ key: 'label', value: 'a=b' }]);
    expect(app.taskKillGracePeriodSeconds).toBe(5);
  });

  it('takes the attribute literally', () => {
    const app = revisionApp({ ...SPEC, agentAttribute: { name: 'zone', value: 'a.b+c' } });
    expect(app.constraints).toEqual([['zone', 'LIKE', '^a\\.b\\+c$']]);
    const { agentAttribute: _, ...anywhere } = SPEC;
    expect(revisionApp(anywhere).constraints).toEqual([]);
  });
});
