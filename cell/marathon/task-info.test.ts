import { describe, expect, it } from '@jest/globals';
import { taskEnvironment } from './task-environment.ts';
import { taskInfo } from './task-info.ts';
import { testApp, testInstance } from './test-apps.ts';

const mapping = { containerPort: 80, hostPort: 0, servicePort: 10_001, protocol: 'tcp', labels: {} } as const;
const half = () => 0.5;
const docker = { image: 'web@sha256:aa', forcePullImage: false, privileged: false, parameters: [] };

describe('taskEnvironment', () => {
  it('tells a task who and where it is, as recorded from Marathon 1.7', () => {
    const app = testApp('/d/envapp', {
      env: { MINE: '1' },
      labels: { 'a-b.c': 'v1', x: 'y', long: 'z'.repeat(512) },
      portDefinitions: [
        { port: 10_000, name: 'http', protocol: 'tcp' },
        { port: 12_345, name: 'admin-2', protocol: 'tcp' },
      ],
    });
    expect(taskEnvironment(app, { taskId: 'd_envapp.1', host: 'localhost', ports: [31595, 31596] }, half)).toEqual({
      HOST: 'localhost',
      MARATHON_APP_ID: '/d/envapp',
      MARATHON_APP_LABELS: 'A_B_C X',
      MARATHON_APP_LABEL_A_B_C: 'v1',
      MARATHON_APP_LABEL_X: 'y',
      MARATHON_APP_RESOURCE_CPUS: '0.1',
      MARATHON_APP_RESOURCE_DISK: '0.0',
      MARATHON_APP_RESOURCE_GPUS: '0',
      MARATHON_APP_RESOURCE_MEM: '16.0',
      MARATHON_APP_VERSION: '2026-01-01T00:00:00.000Z',
      MESOS_TASK_ID: 'd_envapp.1',
      MINE: '1',
      PORT: '31595',
      PORT0: '31595',
      PORT1: '31596',
      PORTS: '31595,31596',
      PORT_10000: '31595',
      PORT_12345: '31596',
      PORT_HTTP: '31595',
      'PORT_ADMIN-2': '31596',
    });
  });

  it('lets the user win', () => {
    const app = testApp('/a', { env: { PORT0: '80', HOST: 'me' } });
    const variables = taskEnvironment(app, { taskId: 't', host: 'h', ports: [31000] }, half);
    expect(variables).toMatchObject({ PORT0: '80', HOST: 'me', PORT: '31000' });
  });

  it('names the host port of a bridge, and the container port where none is published', () => {
    const { hostPort: _none, ...inside } = mapping;
    const app = testApp('/a', {
      networks: [{ mode: 'container', name: 'n' }],
      container: { type: 'DOCKER', docker, volumes: [], portMappings: [mapping, { ...inside, containerPort: 9090 }] },
    });
    const variables = taskEnvironment(app, { taskId: 't', host: 'h', ports: [31000] }, half);
    expect(variables).toMatchObject({ PORT0: '31000', PORT_80: '31000', PORT1: '9090', PORT_9090: '9090' });
    expect(variables['MARATHON_APP_DOCKER_IMAGE']).toBe('web@sha256:aa');
    expect(variables).toMatchObject({ PORT: '31000', PORTS: '31000' });
  });

  it('draws a port inside the container where none was named, and none that is named already', () => {
    const { hostPort: _none, ...inside } = mapping;
    const draws = [0.5, 0.5, 0.25];
    const app = testApp('/a', {
      networks: [{ mode: 'container', name: 'n' }],
      container: {
        type: 'DOCKER',
        docker,
        volumes: [],
        portMappings: [
          { ...inside, containerPort: 0, name: 'one' },
          { ...inside, containerPort: 0 },
        ],
      },
    });
    const variables = taskEnvironment(app, { taskId: 't', host: 'h', ports: [] }, () => draws.shift() ?? 0);
    expect(variables).toMatchObject({
      PORT0: '33280',
      PORT_33280: '33280',
      PORT_ONE: '33280',
      PORT1: '17152',
      PORT: '33280',
      PORTS: '33280,17152',
    });
  });

  it('says nothing of ports where there are none, and writes small numbers as Java does', () => {
    const app = testApp('/a', { portDefinitions: [], cpus: 0.0005, mem: 0.25 });
    const variables = taskEnvironment(app, { taskId: 't', host: 'h', ports: [] }, half);
    expect(Object.keys(variables).filter((name) => name.startsWith('PORT'))).toEqual([]);
    expect(variables).toMatchObject({ MARATHON_APP_RESOURCE_CPUS: '5.0E-4', MARATHON_APP_RESOURCE_MEM: '0.25' });
  });
});

describe('taskInfo', () => {
  it('runs a command line with what it needs', () => {
    const info = taskInfo(testApp('/p/web', { taskKillGracePeriodSeconds: 5 }), testInstance({ ports: [31000] }), half);
    expect(info).toMatchObject({
      name: 'web.p',
      task_id: { value: 'a.1' },
      agent_id: { value: 'S0' },
      command: { shell: true, value: 'sleep 1000' },
      kill_policy: { grace_period: { nanoseconds: 5_000_000_000 } },
    });
    expect(info.resources.map(({ name }) => name)).toEqual(['cpus', 'mem', 'ports']);
    expect(info.container).toBeUndefined();
  });

  it('runs an image on the host network, with its own entry point', () => {
    const { cmd: _cmd, ...app } = testApp('/web', {
      container: { type: 'DOCKER', docker: { ...docker, parameters: [{ key: 'a', value: 'b' }] }, volumes: [] },
    });
    const info = taskInfo(app, testInstance(), half);
    expect(info.container).toMatchObject({
      type: 'DOCKER',
      docker: { image: 'web@sha256:aa', network: 'HOST', parameters: [{ key: 'a', value: 'b' }] },
    });
    expect(info.command).toMatchObject({ shell: false });
    expect(info.command).not.toHaveProperty('value');
  });

  it('maps ports of a bridge', () => {
    const app = testApp('/web', {
      networks: [{ mode: 'container/bridge' }],
      container: {
        type: 'DOCKER',
        docker,
        volumes: [],
        portMappings: [mapping, { ...mapping, containerPort: 0, protocol: 'udp,tcp' }],
      },
    });
    expect(taskInfo(app, testInstance({ ports: [31000, 31001] }), half).container?.docker).toMatchObject({
      network: 'BRIDGE',
      port_mappings: [
        { host_port: 31000, container_port: 80, protocol: 'tcp' },
        { host_port: 31001, container_port: 31001, protocol: 'udp' },
        { host_port: 31001, container_port: 31001, protocol: 'tcp' },
      ],
    });
  });

  it('joins the networks that are named: one with Docker, as many as there are without', () => {
    const net = (name: string) => ({ mode: 'container', name }) as const;
    const volumes = [{ containerPath: '/data', hostPath: '/srv', mode: 'RW' }] as const;
    const plain = testApp('/a', { networks: [net('n'), net('m')], container: { type: 'MESOS', volumes } });
    expect(taskInfo(plain, testInstance(), half).container).toMatchObject({
      type: 'MESOS',
      network_infos: [{ name: 'n' }, { name: 'm' }],
      volumes: [{ container_path: '/data', host_path: '/srv', mode: 'RW' }],
    });
    const app = testApp('/a', { networks: [net('n')], container: { type: 'DOCKER', docker, volumes: [] } });
    expect(taskInfo(app, testInstance(), half).container).toMatchObject({
      docker: { network: 'USER', port_mappings: [] },
      network_infos: [{ name: 'n' }],
    });
  });

  it('gives the checks that Mesos makes to Mesos, and keeps the others', () => {
    const check = {
      gracePeriodSeconds: 30,
      intervalSeconds: 2,
      timeoutSeconds: 1,
      maxConsecutiveFailures: 3,
      delaySeconds: 0,
      ipProtocol: 'IPv4',
      portIndex: 0,
    } as const;
    const mesos = testApp('/web', { healthChecks: [{ ...check, protocol: 'MESOS_HTTP', path: '/healthz' }] });
    expect(taskInfo(mesos, testInstance({ ports: [31000] }), half).health_check).toEqual({
      type: 'HTTP',
      http: { port: 31000, path: '/healthz', scheme: 'http' },
      delay_seconds: 0,
      interval_seconds: 2,
      timeout_seconds: 1,
      grace_period_seconds: 30,
      consecutive_failures: 3,
    });
    const marathon = testApp('/web', { healthChecks: [{ ...check, protocol: 'HTTP' }] });
    expect(taskInfo(marathon, testInstance(), half).health_check).toBeUndefined();
  });
});
