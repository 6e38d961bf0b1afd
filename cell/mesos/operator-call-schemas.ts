/** The calls that operators send, as far as this cell does them. */
import { z } from 'zod';
import { id, nanoseconds, number, text } from './call-schemas.ts';

const ofAgent = z.looseObject({ agent_id: id });
const machineId = z.object({ hostname: text.optional(), ip: text.optional() });
const machines = z.looseObject({ machines: z.array(machineId).default([]) });

/** Also the body of `POST /maintenance/schedule`. */
export const scheduleInput = z.object({
  windows: z
    .array(
      z.object({
        machine_ids: z.array(machineId).default([]),
        unavailability: z.object({ start: nanoseconds, duration: nanoseconds.optional() }),
      }),
    )
    .default([]),
});

/** The body of `POST /machine/down` and `/machine/up`. */
export const machineListInput = z.array(machineId);

export const operatorCallSchema = z.looseObject({
  type: text.optional(),
  teardown: z.looseObject({ framework_id: id }).optional(),
  drain_agent: z
    .looseObject({
      agent_id: id,
      /** Of protobuf's own Duration type, unlike every other duration of Mesos. */
      max_grace_period: z.looseObject({ seconds: number.optional(), nanos: number.optional() }).optional(),
      mark_gone: z.boolean().optional(),
    })
    .optional(),
  deactivate_agent: ofAgent.optional(),
  reactivate_agent: ofAgent.optional(),
  mark_agent_gone: ofAgent.optional(),
  update_maintenance_schedule: z.looseObject({ schedule: scheduleInput }).optional(),
  start_maintenance: machines.optional(),
  stop_maintenance: machines.optional(),
  list_files: z.looseObject({ path: text }).optional(),
  read_file: z.looseObject({ path: text, offset: number, length: number.optional() }).optional(),
});
export type OperatorCall = z.infer<typeof operatorCallSchema>;
