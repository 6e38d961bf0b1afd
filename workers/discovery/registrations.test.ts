import { describe, expect, it } from '@jest/globals';
import type { AgentService } from '../../activities/consul/types.ts';
import { AppSchema, type MarathonApp } from '../../activities/marathon/types.ts';
import { instancesOf, planRegistrations, type Registered } from './registrations.ts';

const TASK = { id: 'prod_web_r1.i-1', appId: '/prod/web/r1', host: 'agent-1', state: 'TASK_RUNNING', ports: [31001] };
const HEALTHY = { alive: true };

const app = (task: object, more: object = {}): MarathonApp =>
  AppSchema.parse({
    id: '/prod/web/r1',
    instances: 1,
    labels: { 'slipway.service': 'web', 'slipway.environment': 'prod', 'slipway.revision': 'r1' },
    healthChecks: [{ protocol: 'MESOS_HTTP', path: '/healthz' }],
    tasks: [{ ...TASK, healthCheckResults: [HEALTHY], ...task }],
    ...more,
  });

const HOSTS = new Map<string, string | undefined>([
  ['agent-1', '10.0.0.1'],
  ['agent-2', undefined],
]);

const ID = 'web:prod:prod_web_r1.i-1';

describe('instancesOf', () => {
  it('says all that is registered of an instance', () => {
    expect(instancesOf([app({})], HOSTS)).toEqual([
      {
        id: ID,
        ready: true,
        registration: {
          id: ID,
          name: 'web',
          tags: ['prod', 'r1'],
          meta: { environment: 'prod', revision: 'r1', task: TASK.id, app: '/prod/web/r1', health: '/healthz' },
          address: '10.0.0.1',
          port: 31001,
          check: {
            url: 'http://10.0.0.1:31001/healthz',
            intervalSeconds: 5,
            timeoutSeconds: 2,
            startsAs: 'passing',
            deregisterAfterSeconds: 1800,
          },
        },
      },
    ]);
  });

  it.each([
    ['healthy', {}, {}, true],
    ['before its first check', { healthCheckResults: [] }, {}, false],
    ['failing its check', { healthCheckResults: [{ alive: false }] }, {}, false],
    ['without checks', { healthCheckResults: [] }, { healthChecks: [] }, true],
    ['one of two checks passed', {}, { healthChecks: [{ path: '/a' }, { path: '/b' }] }, false],
    ['unreachable', { state: 'TASK_UNREACHABLE' }, {}, false],
  ])('%s', (_name, task, more, ready) => {
    expect(instancesOf([app(task, more)], HOSTS)).toMatchObject([{ id: ID, ready }]);
  });

  it.each([
    ['being killed', { state: 'TASK_KILLING' }, {}],
    ['starting', { state: 'TASK_STARTING' }, {}],
    ['ended', { state: 'TASK_FAILED' }, {}],
    ["on a host that is somebody else's", { host: 'agent-3' }, {}],
    ['not of a service', {}, { labels: { 'slipway.service': 'web' } }],
  ])('leaves out one %s', (_name, task, more) => {
    expect(instancesOf([app(task, more)], HOSTS)).toEqual([]);
  });

  it('has no registration for one whose address or port is not known', () => {
    expect(instancesOf([app({ host: 'agent-2' })], HOSTS)).toEqual([{ id: ID, ready: true }]);
    expect(instancesOf([app({ ports: [] })], HOSTS)).toEqual([{ id: ID, ready: true }]);
  });

  it('takes the address of a task in its host network, whose host nobody can resolve', () => {
    const addressed = { host: 'agent-2', ipAddresses: [{ ipAddress: '10.0.0.9', protocol: 'IPv4' }] };
    const [inHostNetwork] = instancesOf([app(addressed, { networks: [{ mode: 'host' }] })], HOSTS);
    expect(inHostNetwork?.registration?.address).toBe('10.0.0.9');
    const [inBridge] = instancesOf([app(addressed, { networks: [{ mode: 'container/bridge' }] })], HOSTS);
    expect(inBridge?.registration).toBeUndefined();
  });

  it('checks by the port alone where no check has a path', () => {
    const [instance] = instancesOf([app({}, { healthChecks: [{ protocol: 'MESOS_TCP' }] })], HOSTS);
    expect(instance?.registration?.meta).not.toHaveProperty('health');
    expect(instance?.registration?.check).not.toHaveProperty('url');
  });
});

describe('planRegistrations', () => {
  const [ready] = instancesOf([app({})], HOSTS);
  const [unready] = instancesOf([app({ healthCheckResults: [] })], HOSTS);
  const [homeless] = instancesOf([app({ host: 'agent-2' })], HOSTS);
  if (!ready?.registration || !unready || !homeless) throw new Error('an instance is missing');
  const stored: AgentService = {
    id: ID,
    name: 'web',
    tags: ['prod', 'r1'],
    meta: ready.registration.meta,
    address: '10.0.0.1',
    port: 31001,
  };
  const NAME = { environment: 'prod', service: 'web', address: '127.0.0.1', port: 8003 };
  const storedName: AgentService = {
    id: 'name:prod:web',
    name: 'web-prod',
    tags: [],
    meta: { environment: 'prod', service: 'web' },
    address: '127.0.0.1',
    port: 8003,
  };
  const plan = (more: Partial<Registered>) => {
    const { register, deregister } = planRegistrations({
      services: [],
      instances: [],
      names: [],
      environments: new Set(['prod']),
      ...more,
    });
    return { register: register.map(({ id }) => id), deregister };
  };
  const NOTHING = { register: [], deregister: [] };

  it.each<[string, Partial<Registered>, { register: string[]; deregister: string[] }]>([
    ['a new instance', { instances: [ready] }, { register: [ID], deregister: [] }],
    ['one that is not healthy yet', { instances: [unready] }, NOTHING],
    ['one that is there', { instances: [ready], services: [stored] }, NOTHING],
    ['one that is there and no longer healthy', { instances: [unready], services: [stored] }, NOTHING],
    ['one that is there and whose host has no address now', { instances: [homeless], services: [stored] }, NOTHING],
    ['one that is not there and whose host has no address', { instances: [homeless] }, NOTHING],
    ['one that moved', { instances: [ready], services: [{ ...stored, port: 1 }] }, { register: [ID], deregister: [] }],
    [
      'one with other meta',
      { instances: [ready], services: [{ ...stored, meta: { ...stored.meta, health: '/other' } }] },
      { register: [ID], deregister: [] },
    ],
    [
      'one with other tags',
      { instances: [ready], services: [{ ...stored, tags: ['prod', 'r2'] }] },
      { register: [ID], deregister: [] },
    ],
    ['one that is gone', { services: [stored] }, { register: [], deregister: [ID] }],
    ['one whose Marathon is silent', { services: [stored], environments: new Set(['fat']) }, NOTHING],
    ['a service of somebody else', { services: [{ ...stored, id: 'consul-esm' }] }, NOTHING],
    [
      'a service of somebody else in the environment',
      { services: [{ ...stored, meta: { environment: 'prod' } }] },
      NOTHING,
    ],
    ['a name', { names: [NAME] }, { register: ['name:prod:web'], deregister: [] }],
    ['a name that is there', { names: [NAME], services: [storedName] }, NOTHING],
    [
      'a name that leads elsewhere now',
      { names: [{ ...NAME, port: 8004 }], services: [storedName] },
      { register: ['name:prod:web'], deregister: [] },
    ],
    ['a name that is not bound any more', { services: [storedName] }, { register: [], deregister: ['name:prod:web'] }],
  ])('%s', (_name, registered, changes) => {
    expect(plan(registered)).toEqual(changes);
  });
});
