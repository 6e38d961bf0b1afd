/** What a Docker task asks of the engine, as the body of its create call; pure. */
import type { ContainerCreateOptions } from 'dockerode';
import type { Parameter, TaskInfo } from '../../activities/mesos/types.ts';
import { amountsOf, together } from './resources.ts';
import { type ContainerSpec, LaunchError } from './runtime.ts';

/** Where a container sees its sandbox: Mesos' default `--sandbox_directory`. */
export const CONTAINER_SANDBOX = '/mnt/mesos/sandbox';

/** Docker's floor for CPU shares, and the shares of one CPU, as Mesos reckons. */
const MIN_CPU_SHARES = 2;
const SHARES_PER_CPU = 1024;

/** The engine's smallest memory limit. */
const MIN_MEMORY_MIB = 6;

type Host = NonNullable<ContainerCreateOptions['HostConfig']>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function containerName(containerId: string): string {
  return `mesos-${containerId}`;
}

/** An image with its tag: the engine would pull every tag of a bare name. */
export function fullImageName(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1);
  return last.includes(':') || image.includes('@') ? image : `${image}:latest`;
}

/**
 * Throws a LaunchError for what the engine can't be asked through this agent.
 *
 * @param options.address where published ports listen: that of the agent, where Mesos takes every address of the machine
 */
export function createRequest(
  spec: ContainerSpec,
  { labels, address }: { readonly labels: Readonly<Record<string, string>>; readonly address: string },
): ContainerCreateOptions {
  const { task } = spec;
  const docker = task.container?.docker;
  if (docker === undefined) throw new LaunchError('Failed to launch container: container.docker is not set');
  const scalars = together(amountsOf(task.resources)).scalars;
  const cpus = scalars.get('cpus');
  const mem = scalars.get('mem');
  const host: Mutable<Host> = {
    NetworkMode: networkMode(task),
    Binds: [
      `${spec.directory}:${CONTAINER_SANDBOX}`,
      ...(task.container?.volumes ?? []).map(({ host_path, container_path, mode }) =>
        host_path === undefined ? container_path : `${host_path}:${container_path}:${mode.toLowerCase()}`,
      ),
    ],
    ...(docker.privileged === undefined ? {} : { Privileged: docker.privileged }),
    ...(cpus === undefined ? {} : { CpuShares: Math.max(MIN_CPU_SHARES, Math.trunc(cpus * SHARES_PER_CPU)) }),
    ...(mem === undefined ? {} : { Memory: Math.max(MIN_MEMORY_MIB, Math.trunc(mem)) * 1024 * 1024 }),
    ...portBindings(task, address),
  };
  const request: Mutable<ContainerCreateOptions> = {
    name: containerName(spec.containerId),
    Image: fullImageName(docker.image),
    Env: environment(spec),
    Labels: { ...labels },
    HostConfig: host,
    ...exposedPorts(task),
    ...command(task),
  };
  for (const parameter of docker.parameters ?? []) applyParameter(request, host, parameter);
  return request;
}

function command(task: TaskInfo): Pick<ContainerCreateOptions, 'Entrypoint' | 'Cmd'> {
  const info = task.command;
  if (info === undefined) return {};
  if (info.shell !== false) {
    return info.value === undefined ? {} : { Entrypoint: ['/bin/sh', '-c'], Cmd: [info.value] };
  }
  const words = [...(info.value === undefined ? [] : [info.value]), ...(info.arguments ?? [])];
  return words.length === 0 ? {} : { Cmd: words };
}

function environment(spec: ContainerSpec): string[] {
  const variables = spec.task.command?.environment?.variables ?? [];
  return [
    ...variables.map(({ name, value }) => `${name}=${value ?? ''}`),
    `MESOS_SANDBOX=${CONTAINER_SANDBOX}`,
    `MESOS_CONTAINER_NAME=${containerName(spec.containerId)}`,
  ];
}

function networkMode(task: TaskInfo): string {
  const network = task.container?.docker?.network ?? 'HOST';
  if (network !== 'USER') return network.toLowerCase();
  const name = task.container?.network_infos?.[0]?.name;
  if (name === undefined)
    throw new LaunchError('Failed to launch container: network USER needs network_infos with a name');
  return name;
}

function portBindings(task: TaskInfo, address: string): Pick<Host, 'PortBindings'> {
  const mappings = task.container?.docker?.port_mappings ?? [];
  if (mappings.length === 0) return {};
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { container_port, host_port, protocol } of mappings) {
    const key = `${container_port}/${(protocol ?? 'tcp').toLowerCase()}`;
    bindings[key] = [...(bindings[key] ?? []), { HostIp: address, HostPort: String(host_port) }];
  }
  return { PortBindings: bindings };
}

function exposedPorts(task: TaskInfo): Pick<ContainerCreateOptions, 'ExposedPorts'> {
  const mappings = task.container?.docker?.port_mappings ?? [];
  if (mappings.length === 0) return {};
  return {
    ExposedPorts: Object.fromEntries(
      mappings.map(({ container_port, protocol }) => [`${container_port}/${(protocol ?? 'tcp').toLowerCase()}`, {}]),
    ),
  };
}

/** `docker run` flags that frameworks pass as parameters, by their long name without dashes. */
function applyParameter(request: Mutable<ContainerCreateOptions>, host: Mutable<Host>, parameter: Parameter): void {
  const { key, value } = parameter;
  const [name = '', rest = ''] = splitOnce(value, '=');
  switch (key) {
    case 'env':
      request.Env = [...(request.Env ?? []), value];
      return;
    case 'label':
      request.Labels = { ...request.Labels, [name]: rest };
      return;
    case 'volume':
      host.Binds = [...(host.Binds ?? []), value];
      return;
    case 'hostname':
      request.Hostname = value;
      return;
    case 'user':
      request.User = value;
      return;
    case 'workdir':
      request.WorkingDir = value;
      return;
    case 'entrypoint':
      request.Entrypoint = value === '' ? [] : [value];
      return;
    case 'add-host':
      host.ExtraHosts = [...(host.ExtraHosts ?? []), value];
      return;
    case 'cap-add':
      host.CapAdd = [...(host.CapAdd ?? []), value];
      return;
    case 'cap-drop':
      host.CapDrop = [...(host.CapDrop ?? []), value];
      return;
    case 'dns':
      host.Dns = [...(host.Dns ?? []), value];
      return;
    case 'init':
      host.Init = value !== 'false';
      return;
    case 'read-only':
      host.ReadonlyRootfs = value !== 'false';
      return;
    case 'log-driver':
      host.LogConfig = { Type: value, Config: host.LogConfig?.Config ?? {} };
      return;
    case 'log-opt':
      host.LogConfig = {
        Type: host.LogConfig?.Type ?? 'json-file',
        Config: { ...host.LogConfig?.Config, [name]: rest },
      };
      return;
    case 'security-opt':
      host.SecurityOpt = [...(host.SecurityOpt ?? []), value];
      return;
    case 'stop-signal':
      request.StopSignal = value;
      return;
    case 'sysctl':
      host.Sysctls = { ...host.Sysctls, [name]: rest };
      return;
    case 'tmpfs': {
      const [path = '', flags = ''] = splitOnce(value, ':');
      host.Tmpfs = { ...host.Tmpfs, [path]: flags };
      return;
    }
    case 'ulimit': {
      const [soft = '', hard = soft] = rest.split(':');
      host.Ulimits = [...(host.Ulimits ?? []), { Name: name, Soft: Number(soft), Hard: Number(hard) }];
      return;
    }
    default:
      throw new LaunchError(
        `Failed to launch container: docker parameter ${JSON.stringify(key)} is not supported by this agent`,
      );
  }
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
