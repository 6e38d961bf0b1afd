import { isDeepStrictEqual } from 'node:util';
import type { AppUpdate } from './app-schema.ts';
import { invalidObject, OriginalFault } from './http-error.ts';
import { isObject } from './json-shape.ts';
import type {
  App,
  AppConfig,
  Container,
  HealthCheck,
  Network,
  PortDefinition,
  PortMapping,
  ReadinessCheck,
} from './model.ts';
import { resolvePath } from './path-id.ts';
import type { Profile } from './profile.ts';

/** Turns what users send into apps as they are stored, and back into what the API answers. */

type SentPortMapping = NonNullable<NonNullable<AppUpdate['container']>['portMappings']>[number];

/** What a request says of an app, old spellings translated, without defaults; absent fields were not mentioned. */
export type AppChanges = {
  readonly [K in Exclude<keyof AppConfig, 'id'>]?: AppConfig[K];
};

/**
 * Translates one request: `uris` to `fetch`, `ports` to `portDefinitions`, Docker's `network` and `ipAddress` to
 * `networks`, mappings to the container. `group` is what relative dependency ids start from.
 */
export function readChanges(sent: AppUpdate, group: string): AppChanges {
  if (sent.uris && sent.fetch && sent.uris.length > 0) {
    throw invalidObject([{ path: '/uris', error: 'may not be set in conjunction with fetch' }]);
  }
  const { ports: sentPorts, portDefinitions: definitions } = sent;
  if (
    sentPorts &&
    definitions &&
    !isDeepStrictEqual(
      sentPorts,
      definitions.map(({ port }) => port ?? 0),
    )
  ) {
    throw invalidObject([{ path: '/', error: 'cannot specify both ports and port definitions' }]);
  }
  if (sentPorts && new Set(sentPorts.filter(Boolean)).size < sentPorts.filter(Boolean).length) {
    throw invalidObject([{ path: '/', error: 'ports must be unique' }]);
  }
  const { id: _id, version: _version, uris, ports, ipAddress: _ip, container, dependencies, ...plain } = sent;
  const networks = sentNetworks(sent);
  const mappings = container?.portMappings ?? container?.docker?.portMappings;
  const portDefinitions =
    sent.portDefinitions?.map(readPortDefinition) ?? ports?.map((port): PortDefinition => ({ port, protocol: 'tcp' }));
  const declaresPorts = (portDefinitions ?? mappings ?? []).length > 0;
  return {
    ...withoutRewritten(plain),
    ...(uris || sent.fetch
      ? {
          fetch: (sent.fetch ?? uris?.map((uri) => ({ uri })) ?? []).map((one) => ({
            extract: true,
            executable: false,
            cache: false,
            ...one,
          })),
        }
      : {}),
    ...(portDefinitions ? { portDefinitions } : {}),
    ...(networks ? { networks } : {}),
    ...(container ? { container: readContainer(container, mappings) } : {}),
    ...(sent.healthChecks
      ? { healthChecks: distinct(sent.healthChecks.map((check) => readHealthCheck(check, declaresPorts))) }
      : {}),
    ...(sent.readinessChecks ? { readinessChecks: sent.readinessChecks.map(readReadinessCheck) } : {}),
    ...(sent.residency
      ? { residency: { relaunchEscalationTimeoutSeconds: 3600, taskLostBehavior: 'WAIT_FOREVER', ...sent.residency } }
      : {}),
    ...(sent.constraints ? { constraints: distinct(sent.constraints) } : {}),
    ...(dependencies ? { dependencies: dependencies.map((dependency) => resolvePath(dependency, group)) } : {}),
  };
}

/** Each once, as in a set: the first of those that are equal, in whatever order their members were written. */
function distinct<T>(items: readonly T[]): readonly T[] {
  const once = new Map<string, T>();
  for (const item of items) {
    const key = JSON.stringify(item, sortedMembers);
    if (!once.has(key)) once.set(key, item);
  }
  return [...once.values()];
}

function sortedMembers(_key: string, value: unknown): unknown {
  return isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
}

/** A whole app out of what is known of it: defaults filled in, members that do not fit its network left out. */
export function completeApp(id: string, changes: AppChanges, profile: Profile): AppConfig {
  const resident = isResident(changes.container);
  const { portDefinitions, container, ...rest } = changes;
  const networks = changes.networks?.length ? changes.networks : [{ mode: 'host' } as const];
  const host = networks.every((network) => network.mode === 'host');
  return {
    args: [],
    env: {},
    instances: 1,
    cpus: 1,
    mem: 128,
    disk: 0,
    gpus: 0,
    executor: '',
    constraints: [],
    fetch: [],
    requirePorts: false,
    backoffSeconds: 1,
    backoffFactor: 1.15,
    maxLaunchDelaySeconds: profile.defaultMaxLaunchDelaySeconds,
    healthChecks: [],
    readinessChecks: [],
    dependencies: [],
    upgradeStrategy: resident
      ? { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 }
      : { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    labels: {},
    secrets: {},
    unreachableStrategy: resident ? 'disabled' : { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    killSelection: 'YOUNGEST_FIRST',
    ...(profile.tellsRoles ? { role: '*' } : {}),
    ...(resident ? { residency: { relaunchEscalationTimeoutSeconds: 3600, taskLostBehavior: 'WAIT_FOREVER' } } : {}),
    ...rest,
    id,
    networks,
    ...(host ? { portDefinitions: portDefinitions ?? [{ port: 0, name: 'default', protocol: 'tcp' }] } : {}),
    ...(container || !host ? { container: completeContainer(container, networks) } : {}),
  };
}

/** The app after a change: every field that was sent replaces that whole field; nothing is merged deeper. */
export function changeApp(app: AppConfig, changes: AppChanges, profile: Profile): AppConfig {
  const { id, ...before } = app;
  return completeApp(id, { ...before, ...changes }, profile);
}

/** What was configured, without the stamps. */
export function configOf(app: App): AppConfig {
  const { version: _version, lastScalingAt: _scaling, lastConfigChangeAt: _change, generation: _one, ...config } = app;
  return config;
}

/** True for an app with persistent volumes. */
export function isResident(container: Container | undefined): boolean {
  return (container?.volumes ?? []).some((volume) => volume.persistent !== undefined);
}

export function isHostNetworked(app: AppConfig): boolean {
  return app.networks.every((network) => network.mode === 'host');
}

/** The app as the API answers it: empty collections left out, absent options never `null`. */
export function emitApp(app: App, options: { readonly versionInfo?: boolean } = {}): Record<string, unknown> {
  const { args, constraints, dependencies, env, fetch, healthChecks, readinessChecks, secrets, ...always } = app;
  const { lastScalingAt, lastConfigChangeAt, generation: _one, ...emitted } = always;
  return {
    ...emitted,
    ...(args.length > 0 ? { args } : {}),
    ...(constraints.length > 0 ? { constraints } : {}),
    ...(dependencies.length > 0 ? { dependencies } : {}),
    ...(Object.keys(env).length > 0 ? { env } : {}),
    ...(fetch.length > 0 ? { fetch } : {}),
    ...(healthChecks.length > 0 ? { healthChecks } : {}),
    ...(readinessChecks.length > 0 ? { readinessChecks } : {}),
    ...(Object.keys(secrets).length > 0 ? { secrets } : {}),
    ...(options.versionInfo === false ? {} : { versionInfo: { lastScalingAt, lastConfigChangeAt } }),
  };
}

/** Only those members that need no translation. */
function withoutRewritten(plain: Omit<AppUpdate, 'id' | 'version' | 'uris' | 'ports' | 'ipAddress' | 'container'>) {
  const {
    fetch: _fetch,
    portDefinitions: _ports,
    networks: _networks,
    healthChecks: _checks,
    readinessChecks: _ready,
    residency: _residency,
    dependencies: _dependencies,
    ...rest
  } = plain;
  return rest;
}

function sentNetworks(sent: AppUpdate): readonly Network[] | undefined {
  if (sent.networks) return sent.networks.map((network) => ({ ...network, mode: network.mode ?? 'container' }));
  const legacyName = sent.ipAddress?.networkName;
  switch (sent.container?.docker?.network) {
    case 'HOST':
    case 'NONE':
      return [{ mode: 'host' }];
    case 'BRIDGE':
      return [{ mode: 'container/bridge' }];
    case 'USER':
      return [{ mode: 'container', ...(legacyName ? { name: legacyName } : {}) }];
    default:
      return sent.ipAddress ? [{ mode: 'container', ...(legacyName ? { name: legacyName } : {}) }] : undefined;
  }
}

function readContainer(
  sent: NonNullable<AppUpdate['container']>,
  mappings: readonly SentPortMapping[] | undefined,
): Container {
  const { docker } = sent;
  return {
    type: sent.type ?? (docker ? 'DOCKER' : 'MESOS'),
    ...(docker
      ? {
          docker: {
            image: docker.image,
            forcePullImage: docker.forcePullImage ?? false,
            privileged: docker.privileged ?? false,
            parameters: docker.parameters ?? [],
          },
        }
      : {}),
    volumes: (sent.volumes ?? []).map((volume) =>
      volume.persistent ? { ...volume, persistent: { type: 'root', constraints: [], ...volume.persistent } } : volume,
    ),
    ...(mappings ? { portMappings: mappings.map(readPortMapping) } : {}),
  };
}

function completeContainer(container: Container | undefined, networks: readonly Network[]): Container {
  const { portMappings, ...rest } = container ?? { type: 'MESOS', volumes: [] };
  if (networks.every((network) => network.mode === 'host')) return rest;
  const bridge = networks.some((network) => network.mode === 'container/bridge');
  const mappings: readonly PortMapping[] = portMappings ?? [
    { containerPort: 0, servicePort: 0, protocol: 'tcp', name: 'default', labels: {} },
  ];
  return {
    ...rest,
    portMappings: bridge ? mappings.map((mapping) => ({ ...mapping, hostPort: mapping.hostPort ?? 0 })) : mappings,
  };
}

function readPortMapping(sent: SentPortMapping): PortMapping {
  return { containerPort: 0, servicePort: 0, protocol: 'tcp', labels: {}, ...sent };
}

function readPortDefinition(sent: NonNullable<AppUpdate['portDefinitions']>[number]): PortDefinition {
  return { port: 0, protocol: 'tcp', ...sent };
}

function readHealthCheck(sent: NonNullable<AppUpdate['healthChecks']>[number], declaresPorts: boolean): HealthCheck {
  const { path, ignoreHttp1xx, command, ...plain } = sent;
  const kind = sent.protocol ?? 'HTTP';
  if (command && kind !== 'COMMAND') throw new OriginalFault(`illegal protocol ${kind} specified with command`);
  const http = kind.endsWith('HTTP') || kind.endsWith('HTTPS');
  const portless = kind === 'COMMAND' || sent.port !== undefined || sent.portIndex !== undefined || !declaresPorts;
  return {
    gracePeriodSeconds: 300,
    intervalSeconds: 60,
    timeoutSeconds: 20,
    maxConsecutiveFailures: 3,
    delaySeconds: 15,
    ipProtocol: 'IPv4',
    ...(portless ? {} : { portIndex: 0 }),
    ...plain,
    // Marathon itself waits for nothing: what was asked for is dropped.
    ...(kind === 'COMMAND' || kind.startsWith('MESOS_') ? {} : { delaySeconds: 15 }),
    protocol: kind,
    ...(http && path !== undefined ? { path } : {}),
    ...(kind === 'HTTP' || kind === 'HTTPS' ? { ignoreHttp1xx: ignoreHttp1xx ?? false } : {}),
    ...(kind === 'COMMAND' && command ? { command } : {}),
  };
}

function readReadinessCheck(sent: NonNullable<AppUpdate['readinessChecks']>[number]): ReadinessCheck {
  return {
    name: 'readinessCheck',
    protocol: 'HTTP',
    path: '/',
    portName: 'http-api',
    intervalSeconds: 30,
    timeoutSeconds: 10,
    httpStatusCodesForReady: [200],
    preserveLastResponse: false,
    ...sent,
  };
}
