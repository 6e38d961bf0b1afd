/** A client of `/cell/faults`, for tests and for the command. */
import { z } from 'zod';
import { FAULTS_PATH } from './admin.ts';
import type { FaultView } from './board.ts';
import { type SwitchesInput, switchesSchema } from './switches.ts';

const ANSWER_WITHIN_MS = 30_000;

const tallies = z.array(z.object({ matched: z.number(), hits: z.number() }));
const viewSchema = z.object({
  faults: switchesSchema,
  seen: z.object({ routes: tallies, events: tallies, tasks: tallies }),
});
const refusalSchema = z.object({ message: z.string() });

export class FaultClient {
  readonly #url: string;

  /** @param url of the cell's Mesos or Marathon: in one process both have the same switches */
  constructor(url: string) {
    this.#url = new URL(FAULTS_PATH, url).toString();
  }

  get(): Promise<FaultView> {
    return this.#call('GET');
  }

  /** Sets every switch; those that are not said are off. Resolves when it is so. */
  set(switches: SwitchesInput): Promise<FaultView> {
    return this.#call('PUT', JSON.stringify(switches));
  }

  clear(): Promise<FaultView> {
    return this.#call('DELETE');
  }

  async #call(method: string, body?: string): Promise<FaultView> {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const answer = await fetch(this.#url, {
      method,
      signal,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    });
    const text = await answer.text();
    if (answer.ok) return viewSchema.parse(JSON.parse(text));
    if (answer.status === 404) {
      throw new Error(`${this.#url}: 404: this cell was started without fault switches`);
    }
    const refusal = refusalSchema.safeParse(parsed(text));
    throw new Error(`${this.#url}: ${answer.status}: ${refusal.success ? refusal.data.message : text}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
