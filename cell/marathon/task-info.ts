import type {
  CommandInfo,
  ContainerInfo,
  HealthCheck as MesosHealthCheck,
  Resource,
  TaskInfo,
} from '../../activities/mesos/types.ts';
import type { App, HealthCheck, Instance } from './model.ts';
import { hostName } from './path-id.ts';
import { effectivePorts, taskEnvironment } from './task-environment.ts';

/** The task that Mesos is asked to run for a new instance; `random` as for its environment. */
export function taskInfo(app: App, instance: Instance, random: () => number): TaskInfo {
  const environment = taskEnvironment(app, instance, random);
  const check = app.healthChecks.map((one) => mesosCheck(one, app, instance)).find((one) => one !== undefined);
  const container = containerInfo(app, instance);
  const grace = app.taskKillGracePeriodSeconds;
  return {
    name: hostName(app.id),
    task_id: { value: instance.taskId },
    agent_id: { value: instance.agentId },
    resources: resources(app, instance),
    command: commandInfo(app, environment),
    ...(container ? { container } : {}),
    ...(check ? { health_check: check } : {}),
    ...(grace === undefined ? {} : { kill_policy: { grace_period: { nanoseconds: grace * 1e9 } } }),
    labels: { labels: Object.entries(app.labels).map(([key, value]) => ({ key, value })) },
    discovery: discovery(app, instance),
  };
}

/** True for checks that the agent makes, next to the task. */
export function isMesosCheck(check: HealthCheck): boolean {
  return check.protocol === 'COMMAND' || check.protocol.startsWith('MESOS_');
}

function resources(app: App, instance: Instance): readonly Resource[] {
  const scalar = (name: string, value: number): Resource[] =>
    value > 0 ? [{ name, type: 'SCALAR', scalar: { value }, allocation_info: { role: '*' } }] : [];
  const range = instance.ports.map((port) => ({ begin: port, end: port }));
  return [
    ...scalar('cpus', app.cpus),
    ...scalar('mem', app.mem),
    ...scalar('disk', app.disk),
    ...scalar('gpus', app.gpus),
    ...(range.length > 0
      ? [{ name: 'ports', type: 'RANGES', ranges: { range }, allocation_info: { role: '*' } } as const]
      : []),
  ];
}

function commandInfo(app: App, environment: Readonly<Record<string, string>>): CommandInfo {
  const shared = {
    environment: { variables: Object.entries(environment).map(([name, value]) => ({ name, value })) },
    uris: app.fetch.map(({ uri, extract, executable, cache, destPath }) => ({
      value: uri,
      extract,
      executable,
      cache,
      ...(destPath === undefined ? {} : { output_file: destPath }),
    })),
    ...(app.user === undefined ? {} : { user: app.user }),
  };
  if (app.cmd !== undefined) return { shell: true, value: app.cmd, ...shared };
  if (app.args.length > 0 && !app.container?.docker)
    return { shell: false, value: app.args[0], arguments: app.args, ...shared };
  return { shell: false, ...(app.args.length > 0 ? { arguments: app.args } : {}), ...shared };
}

function containerInfo(app: App, instance: Instance): ContainerInfo | undefined {
  const { container } = app;
  if (!container || (container.type === 'MESOS' && !container.docker && container.volumes.length === 0))
    return undefined;
  const volumes = container.volumes.map((volume) => ({
    container_path: volume.containerPath,
    ...(volume.hostPath === undefined ? {} : { host_path: volume.hostPath }),
    mode: volume.mode,
  }));
  const [network] = app.networks;
  // Several only without Docker, which takes one.
  const names = app.networks.flatMap(({ mode, name }) =>
    mode === 'container' && name !== undefined ? [{ name }] : [],
  );
  const named = names.length > 0 ? { network_infos: names } : {};
  if (!container.docker) return { type: 'MESOS', volumes, ...named };
  const mode = network?.mode === 'container/bridge' ? 'BRIDGE' : network?.mode === 'container' ? 'USER' : 'HOST';
  return {
    type: container.type,
    volumes,
    docker: {
      image: container.docker.image,
      network: mode,
      privileged: container.docker.privileged,
      force_pull_image: container.docker.forcePullImage,
      parameters: container.docker.parameters,
      ...(mode === 'HOST' ? {} : { port_mappings: portMappings(app, instance) }),
    },
    ...named,
  };
}

function portMappings(app: App, instance: Instance) {
  const drawn = [...instance.ports];
  return (app.container?.portMappings ?? []).flatMap((mapping) => {
    if (mapping.hostPort === undefined) return [];
    const host = drawn.shift() ?? 0;
    return mapping.protocol.split(',').map((protocol) => ({
      host_port: host,
      container_port: mapping.containerPort || host,
      protocol,
    }));
  });
}

/** The check as Mesos knows it; undefined for those that Marathon makes. */
function mesosCheck(check: HealthCheck, app: App, instance: Instance): MesosHealthCheck | undefined {
  if (!isMesosCheck(check)) return undefined;
  const shared = {
    delay_seconds: check.delaySeconds,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
    grace_period_seconds: check.gracePeriodSeconds,
    consecutive_failures: check.maxConsecutiveFailures,
  };
  if (check.protocol === 'COMMAND') return { type: 'COMMAND', command: { value: check.command?.value }, ...shared };
  const port = check.port ?? checkedPort(check, app, instance);
  if (port === undefined) return undefined;
  if (check.protocol === 'MESOS_TCP') return { type: 'TCP', tcp: { port }, ...shared };
  const scheme = check.protocol === 'MESOS_HTTPS' ? 'https' : 'http';
  return { type: 'HTTP', http: { port, path: check.path ?? '/', scheme }, ...shared };
}

/** The agent asks next to the task, so inside its network: there the container's port counts. */
function checkedPort(check: HealthCheck, app: App, instance: Instance): number | undefined {
  const index = check.portIndex ?? 0;
  const mapping = app.container?.portMappings?.[index];
  if (mapping && mapping.containerPort !== 0) return mapping.containerPort;
  return effectivePorts(app, instance.ports)[index];
}

function discovery(app: App, instance: Instance): NonNullable<TaskInfo['discovery']> {
  const ports = effectivePorts(app, instance.ports);
  const definitions = app.portDefinitions ?? app.container?.portMappings ?? [];
  return {
    visibility: 'FRAMEWORK',
    name: hostName(app.id),
    ports: {
      ports: definitions.flatMap((definition, index) => {
        const number = ports[index];
        if (number === undefined) return [];
        return definition.protocol.split(',').map((protocol) => ({
          number,
          protocol,
          ...(definition.name === undefined ? {} : { name: definition.name }),
        }));
      }),
    },
  };
}
