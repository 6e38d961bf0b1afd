/** The calls that frameworks and operators send, checked at the border with Mesos' own complaints. */
import { z } from 'zod';
import { labelsSchema } from '../../activities/mesos/schemas.ts';
import type { CommandInfo, FrameworkInfo, HealthCheck, Resource, TaskInfo } from '../../activities/mesos/types.ts';
import { Refusal } from './http-server.ts';
import type { JsonObject } from './protobuf/notation.ts';

export const number = z.number();
export const text = z.string();
export const id = z.looseObject({ value: text });
export const nanoseconds = z.looseObject({ nanoseconds: number });
const range = z.looseObject({ begin: number, end: number });
const ranges = z.looseObject({ range: z.array(range).optional() });
/** Base64. */
const bytes = z.string();

const resource: z.ZodType<Resource> = z.looseObject({
  name: text,
  type: z.enum(['SCALAR', 'RANGES', 'SET', 'TEXT']),
  scalar: z.looseObject({ value: number }).optional(),
  ranges: ranges.optional(),
  set: z.looseObject({ item: z.array(text).optional() }).optional(),
  role: text.optional(),
  allocation_info: z.looseObject({ role: text.optional() }).optional(),
});

const command: z.ZodType<CommandInfo> = z.looseObject({
  value: text.optional(),
  shell: z.boolean().optional(),
  arguments: z.array(text).optional(),
  environment: z
    .looseObject({
      variables: z
        .array(z.looseObject({ name: text, value: text.optional(), type: z.enum(['VALUE', 'SECRET']).optional() }))
        .default([]),
    })
    .optional(),
  user: text.optional(),
  uris: z.array(z.looseObject({ value: text, extract: z.boolean().optional() })).optional(),
});

const parameter = z.looseObject({ key: text, value: text });

const container = z.looseObject({
  type: z.enum(['DOCKER', 'MESOS']),
  docker: z
    .looseObject({
      image: text,
      network: z.enum(['HOST', 'BRIDGE', 'NONE', 'USER']).optional(),
      privileged: z.boolean().optional(),
      force_pull_image: z.boolean().optional(),
      parameters: z.array(parameter).optional(),
      port_mappings: z
        .array(z.looseObject({ host_port: number, container_port: number, protocol: text.optional() }))
        .optional(),
    })
    .optional(),
  volumes: z
    .array(z.looseObject({ container_path: text, host_path: text.optional(), mode: z.enum(['RO', 'RW']) }))
    .optional(),
  network_infos: z.array(z.looseObject({ name: text.optional() })).optional(),
});

const healthCheck: z.ZodType<HealthCheck> = z.looseObject({
  type: z.enum(['COMMAND', 'HTTP', 'TCP']),
  delay_seconds: number.optional(),
  interval_seconds: number.optional(),
  timeout_seconds: number.optional(),
  grace_period_seconds: number.optional(),
  consecutive_failures: number.optional(),
  command: command.optional(),
  http: z
    .looseObject({
      port: number,
      path: text.optional(),
      scheme: text.optional(),
      statuses: z.array(number).optional(),
    })
    .optional(),
  tcp: z.looseObject({ port: number }).optional(),
});

const killPolicy = z.looseObject({ grace_period: nanoseconds.optional() });

const port = z.looseObject({
  number,
  name: text.optional(),
  protocol: text.optional(),
  labels: labelsSchema.optional(),
});

/** Also what the agent keeps on disk. */
export const taskInfoSchema: z.ZodType<TaskInfo> = z.looseObject({
  name: text,
  task_id: id,
  agent_id: id,
  resources: z.array(resource).default([]),
  command: command.optional(),
  container: container.optional(),
  health_check: healthCheck.optional(),
  kill_policy: killPolicy.optional(),
  data: bytes.optional(),
  labels: labelsSchema.optional(),
  discovery: z
    .looseObject({
      visibility: z.enum(['FRAMEWORK', 'CLUSTER', 'EXTERNAL']),
      name: text.optional(),
      ports: z.looseObject({ ports: z.array(port).optional() }).optional(),
      labels: labelsSchema.optional(),
    })
    .optional(),
  max_completion_time: nanoseconds.optional(),
});

/** Also what the master keeps on disk. */
export const frameworkInfoInput: z.ZodType<FrameworkInfo> = z.looseObject({
  user: text,
  name: text,
  id: id.optional(),
  failover_timeout: number.optional(),
  checkpoint: z.boolean().optional(),
  role: text.optional(),
  roles: z.array(text).optional(),
  hostname: text.optional(),
  principal: text.optional(),
  webui_url: text.optional(),
  capabilities: z.array(z.looseObject({ type: text.optional() })).optional(),
  labels: labelsSchema.optional(),
});

const filters = z.looseObject({ refuse_seconds: number.optional() });
const roles = z.looseObject({ roles: z.array(text).optional(), role: text.optional() });

const operation = z.looseObject({
  type: text,
  launch: z.looseObject({ task_infos: z.array(taskInfoSchema).default([]) }).optional(),
  launch_group: z.looseObject({ task_group: z.looseObject({ tasks: z.array(taskInfoSchema).default([]) }) }).optional(),
});

const inverseAnswer = z.looseObject({ inverse_offer_ids: z.array(id).default([]), filters: filters.optional() });

export const schedulerCallSchema = z.looseObject({
  type: text.optional(),
  framework_id: id.optional(),
  subscribe: z
    .looseObject({ framework_info: frameworkInfoInput, suppressed_roles: z.array(text).optional() })
    .optional(),
  accept: z
    .looseObject({
      offer_ids: z.array(id).default([]),
      operations: z.array(operation).default([]),
      filters: filters.optional(),
    })
    .optional(),
  decline: z.looseObject({ offer_ids: z.array(id).default([]), filters: filters.optional() }).optional(),
  accept_inverse_offers: inverseAnswer.optional(),
  decline_inverse_offers: inverseAnswer.optional(),
  acknowledge: z.looseObject({ agent_id: id, task_id: id, uuid: bytes }).optional(),
  kill: z.looseObject({ task_id: id, agent_id: id.optional(), kill_policy: killPolicy.optional() }).optional(),
  reconcile: z
    .looseObject({ tasks: z.array(z.looseObject({ task_id: id, agent_id: id.optional() })).default([]) })
    .optional(),
  acknowledge_operation_status: z.looseObject({ uuid: bytes, operation_id: id, agent_id: id.optional() }).optional(),
  reconcile_operations: z
    .looseObject({
      operations: z
        .array(z.looseObject({ operation_id: id, agent_id: id.optional(), resource_provider_id: id.optional() }))
        .default([]),
    })
    .optional(),
  shutdown: z.looseObject({ executor_id: id, agent_id: id }).optional(),
  message: z.looseObject({ agent_id: id, executor_id: id, data: bytes }).optional(),
  request: z.looseObject({}).optional(),
  revive: roles.optional(),
  suppress: roles.optional(),
  update_framework: z
    .looseObject({ framework_info: frameworkInfoInput, suppressed_roles: z.array(text).optional() })
    .optional(),
});
export type SchedulerCall = z.infer<typeof schedulerCallSchema>;

/**
 * Checks a message of the right shape for what this cell asks beyond it, and gives what may be left out its default.
 * @throws Refusal
 */
export function parseCall<T>(schema: z.ZodType<T>, message: JsonObject): T {
  const parsed = schema.safeParse(message);
  if (parsed.success) return parsed.data;
  const missing = parsed.error.issues.filter(({ path }) => at(message, path) === undefined);
  const complaint =
    missing.length > 0
      ? `Missing required fields: ${missing.map(({ path }) => fieldName(path)).join(', ')}`
      : parsed.error.issues.map(({ path, message: what }) => `${fieldName(path)}: ${what}`).join(', ');
  throw new Refusal(400, `Failed to convert JSON into Call protobuf: ${complaint}`);
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Readonly<Record<PropertyKey, unknown>>)[key] : undefined,
    value,
  );
}

/** `accept.offer_ids[0].value`, as protobuf names a field. */
function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, key) => (typeof key === 'number' ? `${name}[${key}]` : `${name}${name === '' ? '' : '.'}${String(key)}`),
    '',
  );
}
