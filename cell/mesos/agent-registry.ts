/** What the master keeps of agents through its own death; in Mesos the registry of its replicated log. */
import { z } from 'zod';
import type { Store } from './store.ts';

/** As the operator API shows it. */
const drainInfo = z.object({
  state: z.enum(['DRAINING', 'DRAINED']),
  config: z.object({
    /** The most grace that a task gets; absent: as much as its own kill policy says. */
    max_grace_period: z.object({ nanoseconds: z.number() }).optional(),
    mark_gone: z.boolean(),
  }),
});
export type DrainInfo = z.infer<typeof drainInfo>;

const agentRecord = z.object({
  id: z.string(),
  /** The `AgentInfo` it registered with. */
  info: z.looseObject({}),
  deactivated: z.boolean(),
  drain: drainInfo.optional(),
  /** When it was last told to drain. All times in ms since the epoch. */
  drainingSince: z.number().optional(),
  unreachableSince: z.number().optional(),
  goneSince: z.number().optional(),
});
export type AgentRecord = z.infer<typeof agentRecord>;

/** Every agent that ever registered and was not removed; each change is kept before it can be seen. */
export class AgentRegistry {
  readonly #store: Store;
  readonly #records = new Map<string, AgentRecord>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Reads what an earlier run kept. */
  recover(): void {
    for (const name of this.#store.list('registry')) {
      const record = this.#store.read(name, agentRecord);
      if (record !== undefined) this.#records.set(record.id, record);
    }
  }

  get(id: string): AgentRecord | undefined {
    return this.#records.get(id);
  }

  list(): AgentRecord[] {
    return [...this.#records.values()];
  }

  keep(record: AgentRecord): void {
    this.#store.write(recordName(record.id), record);
    this.#records.set(record.id, record);
  }

  /** Changes the record of an agent that has one; a member given as undefined is taken away. */
  change(id: string, change: { readonly [K in keyof AgentRecord]?: AgentRecord[K] | undefined }): void {
    const record = this.#records.get(id);
    if (record !== undefined) this.keep(agentRecord.parse({ ...record, ...change }));
  }

  remove(id: string): void {
    this.#store.remove(recordName(id));
    this.#records.delete(id);
  }
}

/** `agents/` is where the agents of the cell keep what is theirs. */
function recordName(id: string): string {
  return `registry/${encodeURIComponent(id)}`;
}
