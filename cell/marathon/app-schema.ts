import {
  anyObject,
  flag,
  integer,
  isObject,
  list,
  long,
  map,
  number,
  object,
  oneOf,
  optional,
  required,
  type Shape,
  type TypeOf,
  text,
} from './json-shape.ts';
import type { EnvValue, UnreachableStrategy } from './model.ts';
import { isPathId } from './path-id.ts';
import { isTimestamp } from './timestamp.ts';

/** The form of an app as users send it, today's and yesterday's spellings, after `raml/v2/types/app.raml`. */

const anyPort = integer({ min: 0, max: 65_535 });
const legacyName = text({ minLength: 1, pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/ });
const seconds = integer({ min: 0 });
const longSeconds = long({ min: 0 });
const strings = list(text());
const labels = map(text());
const protocol = oneOf('tcp', 'udp', 'udp,tcp');

/** Of an app or a group. */
export const pathId: Shape<string> = (value, path, problems) => {
  const read = text({ minLength: 1 })(value, path, problems);
  if (read === undefined || isPathId(read)) return read;
  problems.push({ path, error: 'error.pattern' });
  return undefined;
};

const envValue: Shape<EnvValue> = (value, path, problems) =>
  typeof value === 'string' ? value : object({ secret: required(text()) })(value, path, problems);

const portDefinition = object({
  port: optional(anyPort),
  protocol: optional(protocol),
  name: optional(legacyName),
  labels: optional(labels),
});

const portMapping = object({
  containerPort: optional(anyPort),
  hostPort: optional(anyPort),
  servicePort: optional(anyPort),
  protocol: optional(protocol),
  name: optional(legacyName),
  labels: optional(labels),
  networkNames: optional(strings),
});

const network = object({
  mode: optional(oneOf('host', 'container', 'container/bridge')),
  name: optional(text({ minLength: 1, pattern: /^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$/ })),
  labels: optional(labels),
});

const container = object({
  type: optional(oneOf('DOCKER', 'MESOS')),
  docker: optional(
    object({
      image: required(text({ minLength: 1 })),
      forcePullImage: optional(flag),
      privileged: optional(flag),
      parameters: optional(list(object({ key: required(text({ minLength: 1 })), value: required(text()) }))),
      network: optional(oneOf('BRIDGE', 'HOST', 'NONE', 'USER')),
      portMappings: optional(list(portMapping)),
    }),
  ),
  volumes: optional(
    list(
      object({
        containerPath: required(text()),
        hostPath: optional(text()),
        mode: required(oneOf('RO', 'RW')),
        persistent: optional(anyObject),
        external: optional(anyObject),
      }),
    ),
  ),
  portMappings: optional(list(portMapping)),
});

const healthCheck = object({
  protocol: optional(oneOf('HTTP', 'HTTPS', 'TCP', 'COMMAND', 'MESOS_TCP', 'MESOS_HTTP', 'MESOS_HTTPS')),
  path: optional(text()),
  port: optional(anyPort),
  portIndex: optional(anyPort),
  command: optional(object({ value: required(text()) })),
  gracePeriodSeconds: optional(seconds),
  intervalSeconds: optional(seconds),
  timeoutSeconds: optional(integer()),
  maxConsecutiveFailures: optional(seconds),
  delaySeconds: optional(seconds),
  ignoreHttp1xx: optional(flag),
  ipProtocol: optional(oneOf('IPv4', 'IPv6')),
});

const readinessCheck = object({
  name: optional(text({ minLength: 1 })),
  protocol: optional(oneOf('HTTP', 'HTTPS')),
  path: optional(text({ minLength: 1 })),
  portName: optional(legacyName),
  intervalSeconds: optional(seconds),
  timeoutSeconds: optional(integer({ min: 1 })),
  httpStatusCodesForReady: optional(list(integer({ min: 100, max: 999 }))),
  preserveLastResponse: optional(flag),
});

const unreachableStrategy: Shape<UnreachableStrategy> = (value, path, problems) => {
  // Marathon takes any text for it.
  if (typeof value === 'string') return 'disabled';
  const read = object({ inactiveAfterSeconds: optional(longSeconds), expungeAfterSeconds: optional(longSeconds) })(
    value,
    path,
    problems,
  );
  return (
    read && { inactiveAfterSeconds: read.inactiveAfterSeconds ?? 0, expungeAfterSeconds: read.expungeAfterSeconds ?? 0 }
  );
};

/** ISO 8601. */
const timestamp: Shape<string> = (value, path, problems) => {
  const read = text()(value, path, problems);
  if (read === undefined || isTimestamp(read)) return read;
  problems.push({ path, error: 'error.expected.date.isoformat' });
  return undefined;
};

const fields = {
  id: optional(pathId),
  cmd: optional(text({ minLength: 1 })),
  args: optional(strings),
  user: optional(text()),
  env: optional(map(envValue)),
  instances: optional(integer({ min: 0 })),
  cpus: optional(number({ min: 0 })),
  mem: optional(number({ min: 0 })),
  disk: optional(number({ min: 0 })),
  gpus: optional(integer({ min: 0 })),
  executor: optional(text()),
  constraints: optional(list(strings)),
  fetch: optional(
    list(
      object({
        uri: required(text({ minLength: 1 })),
        extract: optional(flag),
        executable: optional(flag),
        cache: optional(flag),
        destPath: optional(text({ minLength: 1 })),
      }),
    ),
  ),
  uris: optional(strings),
  ports: optional(list(anyPort)),
  portDefinitions: optional(list(portDefinition)),
  requirePorts: optional(flag),
  backoffSeconds: optional(seconds),
  backoffFactor: optional(number({ min: 1 })),
  maxLaunchDelaySeconds: optional(seconds),
  container: optional(container),
  networks: optional(list(network)),
  ipAddress: optional(object({ networkName: optional(text({ minLength: 1 })), labels: optional(labels) })),
  healthChecks: optional(list(healthCheck)),
  readinessChecks: optional(list(readinessCheck)),
  dependencies: optional(strings),
  upgradeStrategy: optional(
    object({
      maximumOverCapacity: required(number({ min: 0, max: 1 })),
      minimumHealthCapacity: required(number({ min: 0, max: 1 })),
    }),
  ),
  labels: optional(labels),
  acceptedResourceRoles: optional(strings),
  residency: optional(
    object({
      relaunchEscalationTimeoutSeconds: optional(longSeconds),
      taskLostBehavior: optional(oneOf('WAIT_FOREVER', 'RELAUNCH_AFTER_TIMEOUT')),
    }),
  ),
  secrets: optional(map(object({ source: required(text({ minLength: 1 })) }))),
  taskKillGracePeriodSeconds: optional(seconds),
  unreachableStrategy: optional(unreachableStrategy),
  killSelection: optional(oneOf('YOUNGEST_FIRST', 'OLDEST_FIRST')),
  tty: optional(flag),
  role: optional(text({ minLength: 1 })),
  version: optional(timestamp),
};

/** An app, or a change of one: every field may be absent. */
export const appUpdateShape = object(fields);
export type AppUpdate = TypeOf<typeof appUpdateShape>;

/** A whole app: the id is required. */
export const newAppShape: Shape<AppUpdate & { readonly id: string }> = (value, path, problems) => {
  if (!isObject(value)) {
    problems.push({ path: `${path}/id`, error: `${JSON.stringify(value)} is not an object` });
    return undefined;
  }
  return object({ ...fields, id: required(pathId) })(value, path, problems);
};
