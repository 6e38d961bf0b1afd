/**
 * Checks what a Mesos master and its agents send. Objects are loose: fields that Slipway does not name pass through.
 */
import { z } from 'zod';
import type {
  Attribute,
  ContainerStatus,
  FrameworkInfo,
  InverseOffer,
  Labels,
  Offer,
  Resource,
  SchedulerEvent,
  TaskStatus,
} from './types.ts';
import { TASK_STATES } from './types.ts';

const id = z.looseObject({ value: z.string() });
const nanoseconds = z.looseObject({ nanoseconds: z.union([z.number(), z.string()]) });
const valueType = z.enum(['SCALAR', 'RANGES', 'SET', 'TEXT']);
const scalar = z.looseObject({ value: z.number() });
const ranges = z.looseObject({ range: z.array(z.looseObject({ begin: z.number(), end: z.number() })).optional() });
const set = z.looseObject({ item: z.array(z.string()).optional() });
const roleOnly = z.looseObject({ role: z.string().optional() });

const resourceSchema: z.ZodType<Resource> = z.looseObject({
  name: z.string(),
  type: valueType,
  scalar: scalar.optional(),
  ranges: ranges.optional(),
  set: set.optional(),
  role: z.string().optional(),
  allocation_info: roleOnly.optional(),
});

const attributeSchema: z.ZodType<Attribute> = z.looseObject({
  name: z.string(),
  type: valueType,
  text: z.looseObject({ value: z.string() }).optional(),
  scalar: scalar.optional(),
  ranges: ranges.optional(),
  set: set.optional(),
});

export const labelsSchema: z.ZodType<Labels> = z.looseObject({
  labels: z.array(z.looseObject({ key: z.string(), value: z.string().optional() })).optional(),
});

const address = z.looseObject({ hostname: z.string().optional(), ip: z.string().optional(), port: z.number() });

const containerStatus: z.ZodType<ContainerStatus> = z.looseObject({
  container_id: id.optional(),
  network_infos: z
    .array(
      z.looseObject({
        name: z.string().optional(),
        ip_addresses: z
          .array(z.looseObject({ protocol: z.enum(['IPv4', 'IPv6']).optional(), ip_address: z.string().optional() }))
          .optional(),
      }),
    )
    .optional(),
  executor_pid: z.number().optional(),
});

const taskStateSchema = z.enum(TASK_STATES);

export const taskStatusSchema: z.ZodType<TaskStatus> = z.looseObject({
  task_id: id,
  state: taskStateSchema,
  message: z.string().optional(),
  source: z.enum(['SOURCE_MASTER', 'SOURCE_AGENT', 'SOURCE_EXECUTOR']).optional(),
  reason: z.string().optional(),
  data: z.string().optional(),
  agent_id: id.optional(),
  executor_id: id.optional(),
  timestamp: z.number().optional(),
  uuid: z.string().optional(),
  healthy: z.boolean().optional(),
  labels: labelsSchema.optional(),
  container_status: containerStatus.optional(),
  unreachable_time: nanoseconds.optional(),
});

const unavailability = z.looseObject({ start: nanoseconds, duration: nanoseconds.optional() });

const offerSchema: z.ZodType<Offer> = z.looseObject({
  id,
  framework_id: id,
  agent_id: id,
  hostname: z.string(),
  url: z.looseObject({ scheme: z.string(), address, path: z.string().optional() }).optional(),
  resources: z.array(resourceSchema).default([]),
  attributes: z.array(attributeSchema).default([]),
  allocation_info: roleOnly.optional(),
  unavailability: unavailability.optional(),
});

const inverseOffer: z.ZodType<InverseOffer> = z.looseObject({
  id,
  framework_id: id,
  agent_id: id.optional(),
  unavailability,
});

const frameworkInfoSchema: z.ZodType<FrameworkInfo> = z.looseObject({
  user: z.string(),
  name: z.string(),
  id: id.optional(),
  failover_timeout: z.number().optional(),
  checkpoint: z.boolean().optional(),
  role: z.string().optional(),
  roles: z.array(z.string()).optional(),
  hostname: z.string().optional(),
  principal: z.string().optional(),
  webui_url: z.string().optional(),
  capabilities: z.array(z.looseObject({ type: z.string().optional() })).optional(),
  labels: labelsSchema.optional(),
});

const masterInfo = z.looseObject({
  id: z.string(),
  ip: z.number().optional(),
  port: z.number(),
  pid: z.string().optional(),
  hostname: z.string().optional(),
  version: z.string().optional(),
  address: address.optional(),
});

/** The events a scheduler acts on. A type that is not listed is none of ours: see `knownSchedulerEvent`. */
const schedulerEvent: z.ZodType<SchedulerEvent> = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('SUBSCRIBED'),
    subscribed: z.looseObject({
      framework_id: id,
      heartbeat_interval_seconds: z.number().optional(),
      master_info: masterInfo.optional(),
    }),
  }),
  z.looseObject({ type: z.literal('OFFERS'), offers: z.looseObject({ offers: z.array(offerSchema).default([]) }) }),
  z.looseObject({
    type: z.literal('INVERSE_OFFERS'),
    inverse_offers: z.looseObject({ inverse_offers: z.array(inverseOffer).default([]) }),
  }),
  z.looseObject({ type: z.literal('RESCIND'), rescind: z.looseObject({ offer_id: id }) }),
  z.looseObject({
    type: z.literal('RESCIND_INVERSE_OFFER'),
    rescind_inverse_offer: z.looseObject({ inverse_offer_id: id }),
  }),
  z.looseObject({ type: z.literal('UPDATE'), update: z.looseObject({ status: taskStatusSchema }) }),
  z.looseObject({
    type: z.literal('MESSAGE'),
    message: z.looseObject({ agent_id: id, executor_id: id, data: z.string() }),
  }),
  z.looseObject({
    type: z.literal('FAILURE'),
    failure: z.looseObject({ agent_id: id.optional(), executor_id: id.optional(), status: z.number().optional() }),
  }),
  z.looseObject({ type: z.literal('ERROR'), error: z.looseObject({ message: z.string() }) }),
  z.looseObject({ type: z.literal('HEARTBEAT') }),
]);

const EVENT_TYPES: ReadonlySet<string> = new Set<SchedulerEvent['type']>([
  'SUBSCRIBED',
  'OFFERS',
  'INVERSE_OFFERS',
  'RESCIND',
  'RESCIND_INVERSE_OFFER',
  'UPDATE',
  'MESSAGE',
  'FAILURE',
  'ERROR',
  'HEARTBEAT',
]);

const typed = z.looseObject({ type: z.string() });

/**
 * Reads one record of the scheduler stream; undefined for an event type this client has no use for (such as
 * UPDATE_OPERATION_STATUS). Throws a ZodError when a known event lacks what its type requires.
 */
export function knownSchedulerEvent(value: unknown): SchedulerEvent | undefined {
  return EVENT_TYPES.has(typed.parse(value).type) ? schedulerEvent.parse(value) : undefined;
}

const seconds = z.number();

/** A task as the operator API tells it; `state` is the newest the agent knows, `statuses` are oldest first. */
export const operatorTaskSchema = z.looseObject({
  name: z.string(),
  task_id: id,
  framework_id: id,
  agent_id: id,
  state: taskStateSchema,
  resources: z.array(resourceSchema).default([]),
  statuses: z.array(taskStatusSchema).default([]),
  labels: labelsSchema.optional(),
});
export type OperatorTask = z.infer<typeof operatorTaskSchema>;

export const agentSchema = z.looseObject({
  agent_info: z.looseObject({
    id,
    hostname: z.string(),
    port: z.number(),
    attributes: z.array(attributeSchema).default([]),
    resources: z.array(resourceSchema).default([]),
  }),
  active: z.boolean(),
  deactivated: z.boolean().default(false),
  version: z.string(),
  /** `slave(1)@127.0.0.1:5051`: where the agent listens. */
  pid: z.string().optional(),
  registered_time: nanoseconds.optional(),
  total_resources: z.array(resourceSchema).default([]),
  allocated_resources: z.array(resourceSchema).default([]),
  offered_resources: z.array(resourceSchema).default([]),
  drain_info: z.looseObject({ state: z.string() }).optional(),
});
export type Agent = z.infer<typeof agentSchema>;

const frameworkSchema = z.looseObject({
  framework_info: frameworkInfoSchema,
  active: z.boolean(),
  connected: z.boolean(),
  recovered: z.boolean().default(false),
});

const tasks = z.looseObject({
  tasks: z.array(operatorTaskSchema).default([]),
  unreachable_tasks: z.array(operatorTaskSchema).default([]),
  completed_tasks: z.array(operatorTaskSchema).default([]),
});
export type Tasks = z.infer<typeof tasks>;

const agents = z.looseObject({ agents: z.array(agentSchema).default([]) });
const frameworks = z.looseObject({
  frameworks: z.array(frameworkSchema).default([]),
  completed_frameworks: z.array(frameworkSchema).default([]),
});

/** The part of each answer of the operator API that holds what was asked for. */
export const operatorAnswers = {
  GET_HEALTH: z.looseObject({ get_health: z.looseObject({ healthy: z.boolean() }) }),
  GET_VERSION: z.looseObject({ get_version: z.looseObject({ version_info: z.looseObject({ version: z.string() }) }) }),
  GET_AGENTS: z.looseObject({ get_agents: agents }),
  GET_TASKS: z.looseObject({ get_tasks: tasks }),
  GET_STATE: z.looseObject({
    get_state: z.looseObject({ get_tasks: tasks, get_frameworks: frameworks, get_agents: agents }),
  }),
} as const;

const agentExecutor = z.looseObject({
  id: z.string(),
  directory: z.string(),
  container: z.string(),
  tasks: z.array(z.looseObject({ id: z.string() })).default([]),
  queued_tasks: z.array(z.looseObject({ id: z.string() })).default([]),
  completed_tasks: z.array(z.looseObject({ id: z.string() })).default([]),
});

const agentFramework = z.looseObject({
  id: z.string(),
  executors: z.array(agentExecutor).default([]),
  completed_executors: z.array(agentExecutor).default([]),
});

/** What an agent's `/state` says of the sandboxes it keeps. */
export const agentStateSchema = z.looseObject({
  id: z.string(),
  hostname: z.string(),
  start_time: seconds,
  frameworks: z.array(agentFramework).default([]),
  completed_frameworks: z.array(agentFramework).default([]),
});
export type AgentState = z.infer<typeof agentStateSchema>;

/** One piece of a file; `data` holds one character per byte once the answer was read as latin1. */
export const fileReadSchema = z.looseObject({ data: z.string(), offset: z.number() });

export const fileInfoSchema = z.array(
  z.looseObject({ path: z.string(), size: z.number(), mode: z.string(), mtime: seconds, nlink: z.number() }),
);
export type FileInfo = z.infer<typeof fileInfoSchema>[number];
