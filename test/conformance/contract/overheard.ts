import { type Contract, marathonContract } from './contract.ts';
import { RELEASES, type Release, unexcused } from './deviations.ts';

/** One answer as it went out. */
export interface OverheardAnswer {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const EVENT = /^event: .*\r\ndata: (.*)$/gm;
/** Switches of the cell itself, which are not Marathon's API. */
const OWN_ADMIN = /^\/cell\//;

/**
 * What one Marathon said, held to the published types. Which release's deviations are right is known from what it
 * says of itself at `/v2/info`; so breaches are told at the end.
 */
export class Overheard {
  readonly #contract: Contract | undefined;
  /** Each with an answer that has it. */
  readonly #breaches = new Map<string, string>();
  #isMarathon = false;
  #release: Release | undefined;

  constructor(contract: Contract | undefined = marathonContract()) {
    this.#contract = contract;
  }

  /** @param leader whether the answer names a leading Marathon: whatever never does is none */
  answer({ method, path, status, contentType, text }: OverheardAnswer, leader: boolean): void {
    this.#isMarathon ||= leader;
    if (!this.#isMarathon || method === 'HEAD' || OWN_ADMIN.test(path)) return;
    if (contentType.startsWith('text/event-stream')) this.#events(text);
    if (!contentType.startsWith('application/json') || text === '') return;
    const body: unknown = JSON.parse(text);
    if (path === '/v2/info' && status === 200) this.#learnRelease(body);
    const call = { method, path, status };
    this.#note(`${method} ${path.split('?', 1)[0]}`, this.#contract?.answer(call, body) ?? []);
  }

  /** One line each: what was said that the release's types do not allow and no record of it excuses. */
  get breaches(): readonly string[] {
    if (!this.#isMarathon) return [];
    if (this.#release === undefined) {
      return this.#breaches.size === 0
        ? []
        : ['a Marathon was asked, but never for /v2/info: nobody knows which release it speaks for'];
    }
    const left = new Set(unexcused([...this.#breaches.keys()], this.#release));
    return [...this.#breaches].filter(([breach]) => left.has(breach)).map(([breach, where]) => `${where}: ${breach}`);
  }

  #events(text: string): void {
    for (const [, data = ''] of text.matchAll(EVENT)) {
      const event: Readonly<Record<string, unknown>> = JSON.parse(data);
      this.#note(`event ${String(event['eventType'])}`, this.#contract?.event(event) ?? []);
    }
  }

  #note(where: string, breaches: readonly string[]): void {
    for (const breach of breaches) if (!this.#breaches.has(breach)) this.#breaches.set(breach, where);
  }

  #learnRelease(info: unknown): void {
    const version: unknown = info instanceof Object ? Reflect.get(info, 'version') : undefined;
    this.#release = RELEASES.find((release) => release === version);
  }
}
