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

/** The environment of a task. What the user set wins over everything Marathon adds. */
export function taskEnvironment(app: App, place: TaskPlace): Readonly<Record<string, string>> {
  const user = Object.entries(app.env).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return {
    ...appVariables(app, place),
    ...labelVariables(app.labels),
    ...portVariables(app, place.ports),
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

function portVariables(app: App, hostPorts: readonly number[]): Record<string, string> {
  const ports = effectivePorts(app, hostPorts);
  const variables: Record<string, string> = {};
  const definitions = isHostNetworked(app) ? (app.portDefinitions ?? []) : (app.container?.portMappings ?? []);
  for (const [index, port] of ports.entries()) {
    const definition = definitions[index];
    variables[`PORT${index}`] = String(port);
    if (!definition) continue;
    // Keyed by the declared port, or by the drawn one where 0 was declared.
    const declared = 'port' in definition ? definition.port : definition.containerPort;
    variables[`PORT_${declared || port}`] = String(port);
    if (definition.name) variables[`PORT_${variableName(definition.name)}`] = String(port);
  }
  const [first] = ports;
  if (first !== undefined) variables['PORT'] = String(first);
  variables['PORTS'] = ports.join(',');
  return variables;
}

function variableName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]+/g, '_').toUpperCase();
}

/** As Java prints a double: `16.0`. */
function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
