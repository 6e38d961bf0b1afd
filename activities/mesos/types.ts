/**
 * The words of the Mesos v1 API as they travel in JSON (mesos/v1/mesos.proto and scheduler.proto of Mesos 1.11).
 * Only what Slipway reads or writes is named; unknown fields pass through untouched. Times named `nanoseconds` may be
 * above 2^53: a number that was read is rounded, so send such values as strings (the master accepts both).
 */

/** The wrapper of every id: `{ "value": "…" }`. */
export interface Id {
  readonly value: string;
}

/** A duration or a time in nanoseconds; write large ones as a string. */
export interface Nanoseconds {
  readonly nanoseconds: number | string;
}

/** Inclusive on both ends. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

export type ValueType = 'SCALAR' | 'RANGES' | 'SET' | 'TEXT';

/** An amount of something an agent has, that is offered, or that a task uses. `mem` and `disk` are in MiB. */
export interface Resource {
  readonly name: string;
  readonly type: ValueType;
  readonly scalar?: { readonly value: number } | undefined;
  readonly ranges?: { readonly range?: readonly Range[] | undefined } | undefined;
  readonly set?: { readonly item?: readonly string[] | undefined } | undefined;
  readonly role?: string | undefined;
  readonly allocation_info?: { readonly role?: string | undefined } | undefined;
  /** The last one counts; frameworks see it only with the capability RESERVATION_REFINEMENT, others see `role`. */
  readonly reservations?:
    | readonly { readonly type?: string | undefined; readonly role?: string | undefined }[]
    | undefined;
}

/** What an operator wrote on an agent: `rack:r1` is TEXT, `rack:2` SCALAR, `rack:[1-3]` RANGES. */
export interface Attribute {
  readonly name: string;
  readonly type: ValueType;
  readonly text?: { readonly value: string } | undefined;
  readonly scalar?: { readonly value: number } | undefined;
  readonly ranges?: { readonly range?: readonly Range[] | undefined } | undefined;
  readonly set?: { readonly item?: readonly string[] | undefined } | undefined;
}

export interface Label {
  readonly key: string;
  readonly value?: string | undefined;
}

export interface Labels {
  readonly labels?: readonly Label[] | undefined;
}

export interface Parameter {
  readonly key: string;
  readonly value: string;
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string | undefined;
  readonly type?: 'VALUE' | 'SECRET' | undefined;
}

export interface Environment {
  readonly variables: readonly EnvironmentVariable[];
}

/** `shell` defaults to true: `value` is a line for `/bin/sh -c`; false: `value` is the program, `arguments` its argv. */
export interface CommandInfo {
  readonly value?: string | undefined;
  readonly shell?: boolean | undefined;
  readonly arguments?: readonly string[] | undefined;
  readonly environment?: Environment | undefined;
  readonly user?: string | undefined;
  readonly uris?: readonly { readonly value: string; readonly extract?: boolean | undefined }[] | undefined;
}

export interface Volume {
  readonly container_path: string;
  readonly host_path?: string | undefined;
  readonly mode: 'RO' | 'RW';
}

export interface PortMapping {
  readonly host_port: number;
  readonly container_port: number;
  readonly protocol?: string | undefined;
}

export interface DockerInfo {
  readonly image: string;
  readonly network?: 'HOST' | 'BRIDGE' | 'NONE' | 'USER' | undefined;
  readonly privileged?: boolean | undefined;
  readonly force_pull_image?: boolean | undefined;
  readonly parameters?: readonly Parameter[] | undefined;
  readonly port_mappings?: readonly PortMapping[] | undefined;
}

export interface IpAddress {
  readonly protocol?: 'IPv4' | 'IPv6' | undefined;
  readonly ip_address?: string | undefined;
}

export interface NetworkInfo {
  readonly name?: string | undefined;
  readonly ip_addresses?: readonly IpAddress[] | undefined;
}

export interface ContainerInfo {
  readonly type: 'DOCKER' | 'MESOS';
  readonly docker?: DockerInfo | undefined;
  readonly volumes?: readonly Volume[] | undefined;
  readonly network_infos?: readonly NetworkInfo[] | undefined;
}

/** A check the agent makes next to the task. All times in seconds; defaults: delay 15, interval 10, timeout 20, grace 10, failures 3. */
export interface HealthCheck {
  readonly type: 'COMMAND' | 'HTTP' | 'TCP';
  readonly delay_seconds?: number | undefined;
  readonly interval_seconds?: number | undefined;
  readonly timeout_seconds?: number | undefined;
  readonly grace_period_seconds?: number | undefined;
  readonly consecutive_failures?: number | undefined;
  readonly command?: CommandInfo | undefined;
  readonly http?:
    | {
        readonly port: number;
        readonly path?: string | undefined;
        readonly scheme?: string | undefined;
        readonly statuses?: readonly number[] | undefined;
      }
    | undefined;
  readonly tcp?: { readonly port: number } | undefined;
}

export interface KillPolicy {
  readonly grace_period?: Nanoseconds | undefined;
}

export interface DiscoveryInfo {
  readonly visibility: 'FRAMEWORK' | 'CLUSTER' | 'EXTERNAL';
  readonly name?: string | undefined;
  readonly ports?:
    | {
        readonly ports?:
          | readonly {
              readonly number: number;
              readonly name?: string | undefined;
              readonly protocol?: string | undefined;
              readonly labels?: Labels | undefined;
            }[]
          | undefined;
      }
    | undefined;
  readonly labels?: Labels | undefined;
}

/** What a framework asks to run. `resources` must fit the accepted offers. */
export interface TaskInfo {
  readonly name: string;
  readonly task_id: Id;
  readonly agent_id: Id;
  readonly resources: readonly Resource[];
  readonly command?: CommandInfo | undefined;
  readonly container?: ContainerInfo | undefined;
  readonly health_check?: HealthCheck | undefined;
  readonly kill_policy?: KillPolicy | undefined;
  readonly data?: string | undefined;
  readonly labels?: Labels | undefined;
  readonly discovery?: DiscoveryInfo | undefined;
  readonly max_completion_time?: Nanoseconds | undefined;
}

/** Every state Mesos 1.11 knows; the states after `TASK_ERROR` are only told to PARTITION_AWARE frameworks. */
export const TASK_STATES = [
  'TASK_STAGING',
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_KILLING',
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_LOST',
  'TASK_ERROR',
  'TASK_DROPPED',
  'TASK_UNREACHABLE',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_UNKNOWN',
] as const;

export type TaskState = (typeof TASK_STATES)[number];

/** True for the states from which a task never comes back. Unreachable and unknown tasks may. */
export function isTerminal(state: TaskState): boolean {
  switch (state) {
    case 'TASK_FINISHED':
    case 'TASK_FAILED':
    case 'TASK_KILLED':
    case 'TASK_LOST':
    case 'TASK_ERROR':
    case 'TASK_DROPPED':
    case 'TASK_GONE':
    case 'TASK_GONE_BY_OPERATOR':
      return true;
    default:
      return false;
  }
}

export interface ContainerStatus {
  readonly container_id?: Id | undefined;
  readonly network_infos?: readonly NetworkInfo[] | undefined;
  readonly executor_pid?: number | undefined;
}

/**
 * What became of a task. Only a status with `uuid` (base64 of 16 bytes) wants an acknowledgement: until then it is
 * repeated and the next one is withheld. `timestamp` is in seconds.
 */
export interface TaskStatus {
  readonly task_id: Id;
  readonly state: TaskState;
  readonly message?: string | undefined;
  readonly source?: 'SOURCE_MASTER' | 'SOURCE_AGENT' | 'SOURCE_EXECUTOR' | undefined;
  readonly reason?: string | undefined;
  readonly data?: string | undefined;
  readonly agent_id?: Id | undefined;
  readonly executor_id?: Id | undefined;
  readonly timestamp?: number | undefined;
  readonly uuid?: string | undefined;
  readonly healthy?: boolean | undefined;
  readonly labels?: Labels | undefined;
  readonly container_status?: ContainerStatus | undefined;
  readonly unreachable_time?: Nanoseconds | undefined;
}

/** What became of an operation that is no launch, such as a reservation. */
export interface OperationStatus {
  readonly operation_id?: Id | undefined;
  readonly state: `OPERATION_${'UNKNOWN' | 'RECOVERING' | 'UNREACHABLE' | 'GONE_BY_OPERATOR'}`;
  readonly message?: string | undefined;
  readonly agent_id?: Id | undefined;
  readonly resource_provider_id?: Id | undefined;
}

export interface Address {
  readonly hostname?: string | undefined;
  readonly ip?: string | undefined;
  readonly port: number;
}

export interface Unavailability {
  readonly start: Nanoseconds;
  readonly duration?: Nanoseconds | undefined;
}

export interface Offer {
  readonly id: Id;
  readonly framework_id: Id;
  readonly agent_id: Id;
  readonly hostname: string;
  readonly url?: { readonly scheme: string; readonly address: Address; readonly path?: string | undefined } | undefined;
  readonly resources: readonly Resource[];
  readonly attributes: readonly Attribute[];
  readonly allocation_info?: { readonly role?: string | undefined } | undefined;
  readonly unavailability?: Unavailability | undefined;
}

export interface InverseOffer {
  readonly id: Id;
  readonly url?: Offer['url'];
  readonly framework_id: Id;
  readonly agent_id?: Id | undefined;
  readonly unavailability: Unavailability;
}

/** Seconds for which the refused resources are not offered again; the master's default is 5. */
export interface Filters {
  readonly refuse_seconds?: number | undefined;
}

export type FrameworkCapability =
  | 'MULTI_ROLE'
  | 'PARTITION_AWARE'
  | 'TASK_KILLING_STATE'
  | 'GPU_RESOURCES'
  | 'RESERVATION_REFINEMENT'
  | 'REGION_AWARE';

/**
 * Who a framework is. `user` and `name` are required. With MULTI_ROLE say `roles`, without it `role`. After a
 * disconnect longer than `failover_timeout` seconds (default 0) the framework is removed and its tasks are killed.
 */
export interface FrameworkInfo {
  readonly user: string;
  readonly name: string;
  readonly id?: Id | undefined;
  readonly failover_timeout?: number | undefined;
  readonly checkpoint?: boolean | undefined;
  readonly role?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly hostname?: string | undefined;
  readonly principal?: string | undefined;
  readonly webui_url?: string | undefined;
  readonly capabilities?: readonly { readonly type?: string | undefined }[] | undefined;
  readonly labels?: Labels | undefined;
}

export interface MasterInfo {
  readonly id: string;
  readonly ip?: number | undefined;
  readonly port: number;
  readonly pid?: string | undefined;
  readonly hostname?: string | undefined;
  readonly version?: string | undefined;
  readonly address?: Address | undefined;
}

/** One operation on accepted offers. */
export interface LaunchOperation {
  readonly type: 'LAUNCH';
  readonly launch: { readonly task_infos: readonly TaskInfo[] };
}

/** What the scheduler stream tells. */
export type SchedulerEvent =
  | {
      readonly type: 'SUBSCRIBED';
      readonly subscribed: {
        readonly framework_id: Id;
        readonly heartbeat_interval_seconds?: number | undefined;
        readonly master_info?: MasterInfo | undefined;
      };
    }
  | { readonly type: 'OFFERS'; readonly offers: { readonly offers: readonly Offer[] } }
  | { readonly type: 'INVERSE_OFFERS'; readonly inverse_offers: { readonly inverse_offers: readonly InverseOffer[] } }
  | { readonly type: 'RESCIND'; readonly rescind: { readonly offer_id: Id } }
  | { readonly type: 'RESCIND_INVERSE_OFFER'; readonly rescind_inverse_offer: { readonly inverse_offer_id: Id } }
  | { readonly type: 'UPDATE'; readonly update: { readonly status: TaskStatus } }
  | {
      readonly type: 'UPDATE_OPERATION_STATUS';
      readonly update_operation_status: { readonly status: OperationStatus };
    }
  | {
      readonly type: 'MESSAGE';
      readonly message: { readonly agent_id: Id; readonly executor_id: Id; readonly data: string };
    }
  | {
      readonly type: 'FAILURE';
      readonly failure: {
        readonly agent_id?: Id | undefined;
        readonly executor_id?: Id | undefined;
        readonly status?: number | undefined;
      };
    }
  | { readonly type: 'ERROR'; readonly error: { readonly message: string } }
  | { readonly type: 'HEARTBEAT' };
