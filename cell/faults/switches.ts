/** The fault switches of a cell: everything that can be made to go wrong, said as a whole. */
import { z } from 'zod';

const rule = {
  times: z.int().positive().optional(),
  skip: z.int().nonnegative().default(0),
  probability: z.number().min(0).max(1).default(1),
};

const pattern = z.string().refine(
  (text) => {
    try {
      return new RegExp(text) instanceof RegExp;
    } catch {
      return false;
    }
  },
  { message: 'not a regular expression' },
);

/** How long it takes; with the kinds that wait, and only with them. */
const delayMs = z.number().nonnegative().max(600_000).optional();

function waits(kinds: readonly string[]) {
  return {
    check: ({ kind, delayMs }: { readonly kind: string; readonly delayMs?: number | undefined }) =>
      kinds.includes(kind) === (delayMs !== undefined),
    params: { path: ['delayMs'], message: `goes with ${kinds.join(', ')} and is needed there` },
  };
}

/** The servers of a cell. */
export const servers = ['mesos', 'agent', 'marathon'] as const;
export type ServerName = (typeof servers)[number];

const routeWaits = waits(['delay']);
const routeFault = z
  .strictObject({
    /** Whose; all of them when absent. */
    of: z.enum(servers).optional(),
    /** Such as POST; all when absent. */
    method: z.string().optional(),
    /** Somewhere in the path with its query; all when absent. */
    path: pattern.optional(),
    /** The `type` of a call of one of Mesos' v1 APIs, such as ACCEPT. */
    call: z.string().optional(),
    /**
     * - `delay`: handled after `delayMs`.
     * - `drop`: the connection is reset, nothing happens.
     * - `drop-after-apply`: it happens, and the connection is reset instead of an answer.
     * - `503-before`: answered, nothing happens.
     * - `503-after-apply`: it happens, and the answer says that it did not.
     * - `hang`: never answered, nothing happens.
     */
    kind: z.enum(['delay', 'drop', 'drop-after-apply', '503-before', '503-after-apply', 'hang']),
    delayMs,
    /** Another one than 503. */
    status: z.int().min(400).max(599).optional(),
    ...rule,
  })
  .refine(routeWaits.check, routeWaits.params);
export type RouteFault = z.output<typeof routeFault>;

const eventWaits = waits(['delay']);
const eventFault = z
  .strictObject({
    /** Event types, such as `status_update_event`; all when absent. */
    types: z.array(z.string()).min(1).optional(),
    /** `lose`: not told; `delay`: told `delayMs` later, after others; `duplicate`: told twice. */
    kind: z.enum(['lose', 'delay', 'duplicate']),
    delayMs,
    ...rule,
  })
  .refine(eventWaits.check, eventWaits.params);
export type EventFault = z.output<typeof eventFault>;

const taskWaits = waits(['slow']);
const taskFault = z
  .strictObject({
    /** Somewhere in the task's id; all when absent. */
    task: pattern.optional(),
    /** Name of an agent; all when absent. */
    agent: z.string().optional(),
    /** `fail`: does not start, TASK_FAILED with the message; `slow`: starts `delayMs` later. */
    kind: z.enum(['fail', 'slow']),
    delayMs,
    message: z.string().optional(),
    ...rule,
  })
  .refine(taskWaits.check, taskWaits.params);
export type TaskFault = z.output<typeof taskFault>;

export const agentFaults = ['partitioned', 'lost'] as const;
export type AgentFault = (typeof agentFaults)[number];

export const switchesSchema = z.strictObject({
  /** Of the chances: the same seed, the same faults. */
  seed: z.int().default(1),
  routes: z.array(routeFault).default([]),
  /** What Marathon tells on `/v2/events`. */
  events: z.array(eventFault).default([]),
  /** Streams of events stay open and say nothing, not even that they are alive. */
  eventsSilent: z.boolean().default(false),
  /**
   * By name. `partitioned`: out of its master's reach, its tasks go on; unreachable after the cell's `agentTimeoutMs`.
   * `lost`: the same, and unreachable at once. An agent that is not named any more comes back.
   */
  agents: z.record(z.string(), z.enum(agentFaults)).default({}),
  /** No agent, or none of these, is offered; what is on offer is rescinded. */
  offersWithheld: z.union([z.boolean(), z.array(z.string())]).default(false),
  tasks: z.array(taskFault).default([]),
  /** No Mesos master leads: streams end, calls are answered 503. Afterwards another is elected, with another id. */
  master: z.enum(['leads', 'away']).default('leads'),
  /** No Marathon leads: its streams end, calls are answered 502. Afterwards a new leader takes up what is stored. */
  marathon: z.enum(['leads', 'away']).default('leads'),
});

/** As a caller writes them; what is left out goes well. */
export type SwitchesInput = z.input<typeof switchesSchema>;
/** Complete. */
export type Switches = z.output<typeof switchesSchema>;

/** Nothing goes wrong. */
export const NO_FAULTS: Switches = switchesSchema.parse({});
