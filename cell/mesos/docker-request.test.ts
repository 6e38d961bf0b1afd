import { describe, expect, it } from '@jest/globals';
import type { CommandInfo, ContainerInfo, TaskInfo } from '../../activities/mesos/types.ts';
import { createRequest, fullImageName } from './docker-request.ts';

const request = (container: Partial<ContainerInfo>, command?: CommandInfo, more: Partial<TaskInfo> = {}) =>
  createRequest(
    {
      containerId: 'c1',
      frameworkId: 'f',
      agentId: 'a',
      directory: '/sandbox',
      task: {
        name: 't',
        task_id: { value: 't' },
        agent_id: { value: 'a' },
        resources: [
          { name: 'cpus', type: 'SCALAR', scalar: { value: 0.5 } },
          { name: 'mem', type: 'SCALAR', scalar: { value: 64 } },
        ],
        container: { type: 'DOCKER', docker: { image: 'web:1' }, ...container },
        ...(command === undefined ? {} : { command }),
        ...more,
      },
    },
    { labels: { owner: 'me' }, address: '10.0.0.7' },
  );

const docker = (more: object): Partial<ContainerInfo> => ({ docker: { image: 'web:1', ...more } });
const parameter = (key: string, value: string) => request(docker({ parameters: [{ key, value }] }));

describe('createRequest', () => {
  it('asks for the host network, the limits and the sandbox', () => {
    expect(request({})).toEqual({
      name: 'mesos-c1',
      Image: 'web:1',
      Env: ['MESOS_SANDBOX=/mnt/mesos/sandbox', 'MESOS_CONTAINER_NAME=mesos-c1'],
      Labels: { owner: 'me' },
      HostConfig: {
        NetworkMode: 'host',
        Binds: ['/sandbox:/mnt/mesos/sandbox'],
        CpuShares: 512,
        Memory: 64 * 1024 * 1024,
      },
    });
  });

  it.each<[string, CommandInfo, object]>([
    ['a shell line', { value: 'echo $A' }, { Entrypoint: ['/bin/sh', '-c'], Cmd: ['echo $A'] }],
    ['a program', { shell: false, value: 'run', arguments: ['-x'] }, { Cmd: ['run', '-x'] }],
    ['arguments of the entry point', { shell: false, arguments: ['-x'] }, { Cmd: ['-x'] }],
    ['nothing', { shell: false }, {}],
  ])('runs %s', (_what, command, expected) => {
    const { Entrypoint, Cmd } = request({}, command);
    expect({ ...(Entrypoint && { Entrypoint }), ...(Cmd && { Cmd }) }).toEqual(expected);
  });

  it('maps ports on loopback, volumes and a named network', () => {
    const mapped = request({
      docker: {
        image: 'web:1',
        network: 'USER',
        port_mappings: [{ host_port: 31000, container_port: 80 }],
      },
      network_infos: [{ name: 'net' }],
      volumes: [{ host_path: '/data', container_path: '/d', mode: 'RO' }],
    });
    expect(mapped.ExposedPorts).toEqual({ '80/tcp': {} });
    expect(mapped.HostConfig).toMatchObject({
      NetworkMode: 'net',
      Binds: ['/sandbox:/mnt/mesos/sandbox', '/data:/d:ro'],
      PortBindings: { '80/tcp': [{ HostIp: '10.0.0.7', HostPort: '31000' }] },
    });
  });

  it.each<[string, string, object]>([
    ['env', 'A=b=c', { Env: expect.arrayContaining(['A=b=c']) }],
    ['label', 'k=v', { Labels: { owner: 'me', k: 'v' } }],
    ['user', 'nobody', { User: 'nobody' }],
    ['ulimit', 'nofile=100:200', { HostConfig: { Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }] } }],
    ['tmpfs', '/run:size=1m', { HostConfig: { Tmpfs: { '/run': 'size=1m' } } }],
    ['log-opt', 'max-size=1m', { HostConfig: { LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } } } }],
  ])('passes the parameter %s=%s on', (key, value, expected) => {
    expect(parameter(key, value)).toMatchObject(expected);
  });

  it('refuses what it can not pass on', () => {
    expect(() => parameter('restart', 'always')).toThrow(/docker parameter "restart" is not supported/);
    expect(() => request(docker({ network: 'USER' }))).toThrow(/network USER needs network_infos/);
  });
});

describe('fullImageName', () => {
  it.each([
    ['web', 'web:latest'],
    ['web:1', 'web:1'],
    ['127.0.0.1:5000/web', '127.0.0.1:5000/web:latest'],
    ['127.0.0.1:5000/web:1', '127.0.0.1:5000/web:1'],
    ['web@sha256:abc', 'web@sha256:abc'],
  ])('%s is %s', (image, full) => {
    expect(fullImageName(image)).toBe(full);
  });
});
