import { isHostNetworked } from './app.ts';
import type { App } from './model.ts';

/** Longest values and names of labels that become variables. */
const LABEL_VALUE_LIMIT = 512;
const LABEL_NAME_LIMIT = 493;

/** Where a task runs and which host ports it got. */
export interface TaskPlace {
  readonly taskId: string;
  readonly host: string;
  readonly ports: readonly number[];
}

/**
 * The environment of a task. What the user set wins over everything Marathon adds.
 *
 * @param random uniform in [0, 1): chooses ports for mappings that name neither a host nor a container port
 */
export function taskEnvironment(app: App, place: TaskPlace, random: () => number): Readonly<Record<string, string>> {
  const user = Object.entries(app.env).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return {
    ...appVariables(app, place),
    ...labelVariables(app.labels),
    ...portVariables(app, place.ports, random),
    ...Object.fromEntries(user),
  };
}

/** The port a task listens on for each of the app's ports: the host port, or inside its own network the container's. */
export function effectivePorts(app: App, hostPorts: readonly number[]): readonly number[] {
  if (isHostNetworked(app)) return hostPorts;
  const drawn = [...hostPorts];
  return (app.container?.portMappings ?? []).map((mapping) =>
    mapping.hostPort === undefined ? mapping.containerPort : (drawn.shift() ?? 0),
  );
}

function appVariables(app: App, { taskId, host }: TaskPlace): Record<string, string> {
  const image = app.container?.docker?.image;
  return {
    HOST: host,
    MARATHON_APP_ID: app.id,
    MARATHON_APP_VERSION: app.version,
    MARATHON_APP_RESOURCE_CPUS: decimal(app.cpus),
    MARATHON_APP_RESOURCE_MEM: decimal(app.mem),
    MARATHON_APP_RESOURCE_DISK: decimal(app.disk),
    MARATHON_APP_RESOURCE_GPUS: String(app.gpus),
    MESOS_TASK_ID: taskId,
    ...(image === undefined ? {} : { MARATHON_APP_DOCKER_IMAGE: image }),
  };
}

function labelVariables(labels: Readonly<Record<string, string>>): Record<string, string> {
  const variables: Record<string, string> = {};
  const names: string[] = [];
  for (const [label, value] of Object.entries(labels)) {
    if (value.length >= LABEL_VALUE_LIMIT || label.length >= LABEL_NAME_LIMIT) continue;
    const name = variableName(label);
    names.push(name);
    variables[`MARATHON_APP_LABEL_${name}`] = value;
  }
  return { ...variables, MARATHON_APP_LABELS: names.join(' ') };
}

/** One of the app's ports: what was declared, and which host port it got, if any. */
interface DeclaredPort {
  readonly name?: string | undefined;
  /** 0: the one that is drawn. */
  readonly port: number;
  readonly hostPort: number | undefined;
}

/**
 * `PORTn` is the host port where there is one, else the container port, else a random one. `PORT_<port>` is keyed by
 * the declared port, or by the drawn one where 0 was declared; `PORT_<NAME>` keeps the dashes of names. `PORT` and
 * `PORTS` leave out declared container ports without a host port.
 */
function portVariables(app: App, hostPorts: readonly number[], random: () => number): Record<string, string> {
  const declared = declaredPorts(app, hostPorts);
  if (declared.length === 0) return {};
  const taken = new Set(declared.flatMap(({ port, hostPort }) => [port, hostPort]));
  const variables: Record<string, string> = {};
  const drawn: number[] = [];
  const generated: number[] = [];
  for (const [index, { name, port, hostPort }] of declared.entries()) {
    const generate = hostPort === undefined && port === 0;
    const effective = generate ? freeContainerPort(taken, random) : (hostPort ?? port);
    if (generate) generated.push(effective);
    if (hostPort !== undefined) drawn.push(hostPort);
    variables[`PORT${index}`] = String(effective);
    variables[`PORT_${port || effective}`] = String(effective);
    if (name) variables[`PORT_${name.toUpperCase()}`] = String(effective);
  }
  const assigned = [...drawn, ...generated];
  if (assigned[0] !== undefined) variables['PORT'] = String(assigned[0]);
  variables['PORTS'] = assigned.join(',');
  return variables;
}

function declaredPorts(app: App, hostPorts: readonly number[]): readonly DeclaredPort[] {
  if (isHostNetworked(app)) {
    return (app.portDefinitions ?? []).map(({ name, port }, index) => ({ name, port, hostPort: hostPorts[index] }));
  }
  const drawn = [...hostPorts];
  return (app.container?.portMappings ?? []).map(({ name, containerPort, hostPort }) => ({
    name,
    port: containerPort,
    hostPort: hostPort === undefined ? undefined : drawn.shift(),
  }));
}

/** Above those that belong to the system, and none that this task names already. */
function freeContainerPort(taken: Set<number | undefined>, random: () => number): number {
  for (;;) {
    const port = 1025 + Math.floor(random() * (65_535 - 1024));
    if (taken.has(port)) continue;
    taken.add(port);
    return port;
  }
}

function variableName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]+/g, '_').toUpperCase();
}

/** As Java prints a double: `16.0`, and `5.0E-4` below a thousandth. */
function decimal(value: number): string {
  if (Number.isInteger(value)) return value.toFixed(1);
  if (value >= 0.001) return String(value);
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent}`;
}
