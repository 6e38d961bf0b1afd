/** What the cell's Marathon keeps: apps as they are stored, instances, deployments. All JSON-safe. */

export interface PortDefinition {
  /** A service port; 0 until one is assigned. */
  readonly port: number;
  readonly protocol: NetworkProtocol;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface PortMapping {
  /** 0: the same as the host port. */
  readonly containerPort: number;
  /** 0: any; absent: none is published. */
  readonly hostPort?: number;
  readonly servicePort: number;
  readonly protocol: NetworkProtocol;
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly networkNames?: readonly string[];
}

export type NetworkProtocol = 'tcp' | 'udp' | 'udp,tcp';

export interface Network {
  readonly mode: 'host' | 'container' | 'container/bridge';
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface DockerContainer {
  readonly image: string;
  readonly forcePullImage: boolean;
  readonly privileged: boolean;
  readonly parameters: readonly { readonly key: string; readonly value: string }[];
}

export interface Volume {
  readonly containerPath: string;
  readonly hostPath?: string;
  readonly mode: 'RO' | 'RW';
  /** Persistent and external volumes, as sent. */
  readonly persistent?: Readonly<Record<string, unknown>>;
  readonly external?: Readonly<Record<string, unknown>>;
}

export interface Container {
  readonly type: 'DOCKER' | 'MESOS';
  readonly docker?: DockerContainer;
  readonly volumes: readonly Volume[];
  readonly portMappings?: readonly PortMapping[];
}

export type HealthProtocol = 'HTTP' | 'HTTPS' | 'TCP' | 'COMMAND' | 'MESOS_HTTP' | 'MESOS_HTTPS' | 'MESOS_TCP';

export interface HealthCheck {
  readonly protocol: HealthProtocol;
  readonly gracePeriodSeconds: number;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly maxConsecutiveFailures: number;
  readonly delaySeconds: number;
  readonly ipProtocol: 'IPv4' | 'IPv6';
  readonly path?: string;
  readonly port?: number;
  readonly portIndex?: number;
  readonly command?: { readonly value: string };
  readonly ignoreHttp1xx?: boolean;
}

export interface ReadinessCheck {
  readonly name: string;
  readonly protocol: 'HTTP' | 'HTTPS';
  readonly path: string;
  readonly portName: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly httpStatusCodesForReady: readonly number[];
  readonly preserveLastResponse: boolean;
}

export type EnvValue = string | { readonly secret: string };

export type UnreachableStrategy =
  | 'disabled'
  | { readonly inactiveAfterSeconds: number; readonly expungeAfterSeconds: number };

export interface Fetch {
  readonly uri: string;
  readonly extract: boolean;
  readonly executable: boolean;
  readonly cache: boolean;
  readonly destPath?: string;
}

/** Everything of an app that a user decides, with defaults filled in and old spellings translated. */
export interface AppConfig {
  readonly id: string;
  readonly cmd?: string;
  readonly args: readonly string[];
  readonly user?: string;
  readonly env: Readonly<Record<string, EnvValue>>;
  readonly instances: number;
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus: number;
  readonly executor: string;
  readonly constraints: readonly (readonly string[])[];
  readonly fetch: readonly Fetch[];
  /** Only with host networking. */
  readonly portDefinitions?: readonly PortDefinition[];
  readonly requirePorts: boolean;
  readonly backoffSeconds: number;
  readonly backoffFactor: number;
  readonly maxLaunchDelaySeconds: number;
  readonly container?: Container;
  readonly networks: readonly Network[];
  readonly healthChecks: readonly HealthCheck[];
  readonly readinessChecks: readonly ReadinessCheck[];
  readonly dependencies: readonly string[];
  readonly upgradeStrategy: UpgradeStrategy;
  readonly labels: Readonly<Record<string, string>>;
  readonly acceptedResourceRoles?: readonly string[];
  readonly residency?: { readonly relaunchEscalationTimeoutSeconds: number; readonly taskLostBehavior: string };
  readonly secrets: Readonly<Record<string, { readonly source: string }>>;
  readonly taskKillGracePeriodSeconds?: number;
  readonly unreachableStrategy: UnreachableStrategy;
  readonly killSelection: KillSelection;
  readonly tty?: boolean;
  readonly role?: string;
}

export interface UpgradeStrategy {
  readonly minimumHealthCapacity: number;
  readonly maximumOverCapacity: number;
}

export type KillSelection = 'YOUNGEST_FIRST' | 'OLDEST_FIRST';

/** An app at one of its versions. Versions are timestamps and keys at once, and strictly increasing. */
export interface App extends AppConfig {
  readonly version: string;
  readonly lastScalingAt: string;
  readonly lastConfigChangeAt: string;
  /** Stamp of the last change of the configuration or restart: instances of another generation are to be replaced. */
  readonly generation: string;
}

/** How an instance stands, in the words of `instance_changed_event`. */
export type Condition =
  | 'Created'
  | 'Scheduled'
  | 'Provisioned'
  | 'Staging'
  | 'Starting'
  | 'Running'
  | 'Killing'
  | 'Killed'
  | 'Finished'
  | 'Failed'
  | 'Error'
  | 'Gone'
  | 'Dropped'
  | 'Unreachable'
  | 'UnreachableInactive'
  | 'Unknown';

/** One instance of an app and its task. An instance ceases to exist with its task's last update. */
export interface Instance {
  readonly id: string;
  readonly taskId: string;
  readonly appId: string;
  /** Version of the app at launch. */
  readonly version: string;
  /** That of the app at launch. */
  readonly generation: string;
  readonly condition: Condition;
  /** Mesos' word for the condition. */
  readonly state: string;
  /** `Stopped` once a kill was decided; it is repeated until the task is gone. */
  readonly goal: 'Running' | 'Stopped';
  /** Of an instance that is being killed: its next task is to be the same instance's, or nothing is to be kept of it. */
  readonly then?: 'again' | 'wiped';
  /** Which task of the instance this is, from 1. Absent where instances end with their task. */
  readonly incarnation?: number;
  readonly agentId: string;
  readonly host: string;
  /** Of its agent, as Mesos tells it. Absent where it does not, and of what an earlier version of the cell started. */
  readonly agentAddress?: string;
  /** One per port definition or published mapping, in order. */
  readonly ports: readonly number[];
  readonly ipAddresses: readonly { readonly ipAddress: string; readonly protocol: string }[];
  /** Fields of the agent that constraints can name, as text. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly stagedAt: string;
  readonly startedAt?: string;
  /** When its agent was lost. */
  readonly unreachableSince?: string;
  /** What Mesos said then; what it says when it repeats it is not told. */
  readonly lostMessage?: string;
}

/** An instance without a task: from 1.8 on there is one before its first launch, and between two tasks. */
export interface Scheduled {
  readonly id: string;
  readonly appId: string;
  /** Of the app when the instance was first scheduled: it keeps it over all its tasks. */
  readonly version: string;
  readonly generation: string;
  /** Which task of the instance comes next, from 1. */
  readonly incarnation: number;
  /** Its last task, when it has had one: it is shown until the next. */
  readonly last?: Instance;
}

export function isScheduled(one: Instance | Scheduled): one is Scheduled {
  return !('taskId' in one);
}

/** How an app's last bad end came about. */
export interface TaskFailure {
  readonly appId: string;
  readonly host: string;
  readonly message: string;
  readonly state: string;
  readonly taskId: string;
  readonly timestamp: string;
  readonly version: string;
  readonly slaveId?: string;
}

export type ActionName = 'StartApplication' | 'ScaleApplication' | 'RestartApplication' | 'StopApplication';

export interface DeploymentAction {
  readonly action: ActionName;
  readonly app: string;
}

export interface DeploymentStep {
  readonly actions: readonly DeploymentAction[];
}

/** What a deployment changes about one app; undefined: there was, or will be, none. */
export interface AppChange {
  readonly appId: string;
  readonly before?: App;
  readonly after?: App;
}

/** A way from one state of the apps to another, step by step. */
export interface DeploymentPlan {
  readonly id: string;
  readonly version: string;
  readonly steps: readonly DeploymentStep[];
  readonly changes: readonly AppChange[];
  /** Ids of groups that it makes, inner ones first: when it is undone, those that are empty go. */
  readonly addedGroups: readonly string[];
  /** Tasks that must be among those that a scale-down kills. */
  readonly sentenced: readonly string[];
}
