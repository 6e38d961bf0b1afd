import { revisionAppId } from './environment.ts';

/** Labels of every app that Slipway owns; whoever meets the app can tell what it is. */
export const RevisionLabel = {
  Service: 'slipway.service',
  Environment: 'slipway.environment',
  Revision: 'slipway.revision',
  Bundle: 'slipway.bundle',
} as const;

/** Everything that decides how a revision runs. */
export interface RevisionSpec {
  readonly environment: string;
  readonly service: string;
  /** `r<N>`. */
  readonly revision: string;
  /** Id of the bundle that the revision runs. */
  readonly bundle: string;
  /** Pullable by digest, such as `registry.internal:5000/web@sha256:...`. A tag could change under a revision. */
  readonly image: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** HTTP path, on the first port, that answers 2xx or 3xx when the instance can serve. */
  readonly healthPath: string;
  /** Longest time from start to the first healthy answer; failed checks before do not count. */
  readonly startSeconds: number;
  /** How many instances to create the app with; it may be 0. */
  readonly instances: number;
  /** Names of the ports, in the order of `$PORT0`, `$PORT1`, ... Default: one, `http`. */
  readonly ports?: readonly string[];
  /** Only agents whose attribute has exactly this value. */
  readonly agentAttribute?: { readonly name: string; readonly value: string };
  /** Further arguments of `docker run`, such as `{ key: 'log-driver', value: 'journald' }`. */
  readonly dockerParameters?: readonly { readonly key: string; readonly value: string }[];
  /** A line for `/bin/sh -c` in the container; without it the image's own entry point runs. */
  readonly command?: string;
  readonly check?: CheckSpec;
  /** How long an instance has between SIGTERM and SIGKILL. Default 10. */
  readonly stopSeconds?: number;
  /**
   * Fields of the app, by their Marathon names, that a person edited by hand and another one adopted: as the app has
   * them. What names the revision stays ours.
   */
  readonly edited?: Readonly<Record<string, unknown>>;
}

/** How health is looked at; every field has a default. */
export interface CheckSpec {
  /** `MESOS_HTTP` (default): asked by the agent, next to the task. `HTTP`: asked by Marathon's leader. */
  readonly protocol?: 'MESOS_HTTP' | 'HTTP';
  /** Default 2. */
  readonly intervalSeconds?: number;
  /** Default 2. */
  readonly timeoutSeconds?: number;
  /** Failures in a row after which an instance is replaced. Default 3. */
  readonly maxConsecutiveFailures?: number;
}

/** The Marathon app of a revision, as it is sent to `POST /v2/apps`. */
export interface RevisionApp {
  readonly id: string;
  readonly instances: number;
  readonly cmd?: string;
  readonly cpus: number;
  readonly mem: number;
  readonly container: {
    readonly type: 'DOCKER';
    readonly docker: {
      readonly image: string;
      readonly forcePullImage: boolean;
      readonly parameters: readonly { readonly key: string; readonly value: string }[];
    };
  };
  readonly networks: readonly { readonly mode: 'host' }[];
  readonly portDefinitions: readonly { readonly port: number; readonly name: string; readonly protocol: 'tcp' }[];
  readonly requirePorts: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly constraints: readonly (readonly string[])[];
  readonly healthChecks: readonly {
    readonly protocol: 'MESOS_HTTP' | 'HTTP';
    readonly path: string;
    readonly portIndex: number;
    readonly gracePeriodSeconds: number;
    readonly intervalSeconds: number;
    readonly timeoutSeconds: number;
    readonly maxConsecutiveFailures: number;
    readonly delaySeconds?: number;
  }[];
  readonly upgradeStrategy: { readonly minimumHealthCapacity: number; readonly maximumOverCapacity: number };
  readonly killSelection: 'YOUNGEST_FIRST' | 'OLDEST_FIRST';
  readonly unreachableStrategy: { readonly inactiveAfterSeconds: number; readonly expungeAfterSeconds: number };
  readonly backoffSeconds: number;
  readonly backoffFactor: number;
  readonly maxLaunchDelaySeconds: number;
  readonly taskKillGracePeriodSeconds: number;
}

/**
 * The Marathon app that runs one revision. It is never edited after its creation (any edit but that of the instance
 * count restarts every task), so each setting that Marathon would fill in and that matters is written out: what is
 * read back can then be compared, whatever the defaults of the Marathon at hand.
 */
export function revisionApp(spec: RevisionSpec): RevisionApp {
  const app = appAsReleased(spec);
  if (spec.edited === undefined) return app;
  const { env, labels, ...edited } = spec.edited;
  return {
    ...app,
    ...edited,
    env: { ...(isRecord(env) ? env : app.env), ...ownVariables(spec) },
    labels: { ...(isRecord(labels) ? labels : app.labels), ...ownLabels(spec) },
  };
}

function appAsReleased(spec: RevisionSpec): RevisionApp {
  const check = spec.check ?? {};
  return {
    id: revisionAppId(spec.environment, spec.service, spec.revision),
    instances: spec.instances,
    ...(spec.command === undefined ? {} : { cmd: spec.command }),
    cpus: spec.cpus,
    mem: spec.memoryMiB,
    container: {
      type: 'DOCKER',
      docker: { image: spec.image, forcePullImage: false, parameters: spec.dockerParameters ?? [] },
    },
    networks: [{ mode: 'host' }],
    // Port 0 lets Mesos choose; the instance finds its choice in $PORT0.
    portDefinitions: (spec.ports ?? ['http']).map((name) => ({ port: 0, name, protocol: 'tcp' })),
    requirePorts: false,
    env: { ...ownVariables(spec), ...spec.env },
    labels: ownLabels(spec),
    // LIKE and not IS, which Marathon knows only from 1.5 on and not for every kind of attribute.
    constraints: spec.agentAttribute
      ? [[spec.agentAttribute.name, 'LIKE', `^${escapeRegExp(spec.agentAttribute.value)}$`]]
      : [],
    healthChecks: [
      {
        protocol: check.protocol ?? 'MESOS_HTTP',
        path: spec.healthPath,
        portIndex: 0,
        gracePeriodSeconds: spec.startSeconds,
        intervalSeconds: check.intervalSeconds ?? 2,
        timeoutSeconds: check.timeoutSeconds ?? 2,
        maxConsecutiveFailures: check.maxConsecutiveFailures ?? 3,
        // Marathon's default of 15 s would be the shortest start of every instance. It keeps no delay of its own checks,
        // which begin at once, and would answer another one than was sent.
        ...(check.protocol === 'HTTP' ? {} : { delaySeconds: 0 }),
      },
    ],
    // Never used by Slipway; should a person edit the app all the same, nothing stops before its successor serves.
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    killSelection: 'YOUNGEST_FIRST',
    // A lost instance is replaced at once; the balancer has left it out already.
    unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    backoffSeconds: 1,
    backoffFactor: 2,
    maxLaunchDelaySeconds: 60,
    taskKillGracePeriodSeconds: spec.stopSeconds ?? 10,
  };
}

function ownVariables(spec: RevisionSpec): Record<string, string> {
  return {
    SLIPWAY_SERVICE: spec.service,
    SLIPWAY_ENVIRONMENT: spec.environment,
    SLIPWAY_REVISION: spec.revision,
  };
}

function ownLabels(spec: RevisionSpec): Record<string, string> {
  return {
    [RevisionLabel.Service]: spec.service,
    [RevisionLabel.Environment]: spec.environment,
    [RevisionLabel.Revision]: spec.revision,
    [RevisionLabel.Bundle]: spec.bundle,
  };
}

function isRecord(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
