import { isDeepStrictEqual } from 'node:util';
import { type Answer, ask, listen } from './asking.ts';
import { comparable } from './comparable.ts';
import { type TakenEvent, withoutEarlyFailures } from './event-record.ts';
import type { GoldenRecord, GoldenStep } from './golden-record.ts';
import { Parts } from './parts.ts';
import type { Stage } from './stage.ts';

/** Headers that say something about Marathon, where a record or an answer has them. */
const HEADERS = ['Content-Type', 'Location', 'Marathon-Deployment-Id', 'Allow'];
/** Headers of the machinery below. */
const IGNORED = ['Content-Length', 'Transfer-Encoding', 'Last-Modified', 'Accept-Ranges', 'Connection'];
const TASK_ID = /[a-z0-9._-]+\.(?:instance-|marathon-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\._app\.\d+)?/g;
/** How long the cell gets to arrive where the recorder was. */
const CATCH_UP_MS = 15_000;
/** How long a GET is repeated until it answers the same, after everything the recorder had heard was told. */
const SAME_ANSWER_MS = 20_000;
/** A recorder that let so much time go by before a request had waited for something. */
const WAITED_MS = 250;
/** After so many looks what the recorder saw has not come by itself: it came of a call to Mesos. */
const LOOKS_WHILE_HELD = 5;

export interface ReplayOptions {
  /** Takes out of a comparable answer what depends on when it was asked for. */
  readonly mask?: (answer: unknown) => unknown;
}

/** One answer of the cell beside the recorded one, both comparable. */
export interface Compared {
  readonly got: unknown;
  readonly wanted: unknown;
}

/**
 * Plays a record on a cell. Where the recorder waited, the replay waits until every event that the recorder had seen
 * by then has come here too, and until a GET answers the same; never for a time.
 */
export class Replay {
  readonly parts = new Parts();
  readonly #stage: Stage;
  readonly #record: GoldenRecord;
  readonly #stream: Awaited<ReturnType<typeof listen>>;
  readonly #options: ReplayOptions;
  #lastEnd = 0;
  /** Where the cell is known to lag behind for ever, it is not waited for again. */
  #behind = false;
  #letMesosGo = () => {};

  private constructor(
    stage: Stage,
    record: GoldenRecord,
    stream: Awaited<ReturnType<typeof listen>>,
    options: ReplayOptions,
  ) {
    this.#options = options;
    this.#stage = stage;
    this.#record = record;
    this.#stream = stream;
    for (const [theirs, ours] of stage.ports) this.#pairPorts(theirs, ours);
  }

  static async on(stage: Stage, record: GoldenRecord, options: ReplayOptions = {}): Promise<Replay> {
    return new Replay(stage, record, await listen(stage.url), options);
  }

  get events(): readonly TakenEvent[] {
    return this.#stream.events;
  }

  /**
   * Plays one step that has a request; a GET `once` is not repeated. What the recorder saw just after a change is
   * looked at while no call gets to Mesos; what came of it by then, if that is not it, when calls get there again.
   *
   * @param same whether an answer is as good as the recorded one; equal, unless said otherwise
   */
  async play(
    step: GoldenStep,
    options: { once?: boolean; same?: (answer: Compared) => boolean } = {},
  ): Promise<Compared> {
    const { once = false, same = ({ got, wanted }: Compared) => isDeepStrictEqual(got, wanted) } = options;
    const { request, response, t } = step;
    if (!request || !response) throw new Error(`step ${JSON.stringify(step.note)} has nothing to ask`);
    if (t - this.#lastEnd > WAITED_MS || request.method !== 'GET') await this.caughtUp(t);
    this.#lastEnd = t;
    this.#pairTasks(JSON.stringify(request));
    const ours = {
      ...request,
      path: this.parts.translate(request.path),
      ...(request.body === undefined ? {} : { body: this.#translatedBody(request.body) }),
    };
    const atOnce = this.#isLookedAtOnce(step);
    if (request.method !== 'GET' && atOnce) this.#letMesosGo = this.#stage.holdMesos();
    const deadline = Date.now() + (request.method === 'GET' && !once ? SAME_ANSWER_MS : 0);
    for (let looks = 1; ; looks += 1) {
      const answer = await ask(this.#stage.url, ours);
      this.parts.learn(response.body, answer.body);
      this.#learnDeployment(response.headers, answer);
      const compared = this.#compared(response, answer);
      const over = same(compared) || Date.now() > deadline;
      if ((over && !atOnce) || looks === LOOKS_WHILE_HELD) this.#letMesosGo();
      if (over) return compared;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Waits until the cell has told everything that the recorder had heard by its time `t`. */
  async caughtUp(t = Number.POSITIVE_INFINITY): Promise<boolean> {
    const wanted = countKinds(withoutEarlyFailures(this.#record.events.filter((event) => event.t <= t).map(takenFrom)));
    this.#letMesosGo();
    const deadline = Date.now() + (this.#behind ? 500 : CATCH_UP_MS);
    for (;;) {
      const got = countKinds(this.events);
      if ([...wanted].every(([kind, count]) => (got.get(kind) ?? 0) >= count)) return true;
      if (Date.now() > deadline) {
        this.#behind = true;
        return false;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** The record's events in our words; instances keep their own names, so that none is taken for another. */
  recordedEvents(): readonly TakenEvent[] {
    return this.#record.events
      .map(takenFrom)
      .map(({ eventType, data }) => ({ eventType, data: this.parts.translatedButTasks(data) as TakenEvent['data'] }));
  }

  stop(): void {
    this.#letMesosGo();
    this.#stream.stop();
  }

  /** Whether the recorder went on to the next step, a look, without waiting for anything. */
  #isLookedAtOnce({ request }: GoldenStep): boolean {
    const { steps } = this.#record;
    const index = steps.findIndex((step) => step.request === request);
    const [step, next] = steps.slice(index, index + 2);
    return step !== undefined && next?.request?.method === 'GET' && next.t - step.t <= WAITED_MS;
  }

  #compared(response: NonNullable<GoldenStep['response']>, answer: Answer): Compared {
    const { known } = this.parts;
    const headers = new Set([
      ...Object.keys(response.headers).filter((name) => !IGNORED.includes(name)),
      ...HEADERS.filter((name) => answer.headers[name.toLowerCase()]),
    ]);
    const theirs = [...headers].map((name) => [name, listed(name, this.parts.translated(response.headers[name]))]);
    const ours = [...headers].map((name) => [name, listed(name, answer.headers[name.toLowerCase()])]);
    const mask = this.#options.mask ?? ((value: unknown) => value);
    const got = { status: answer.status, headers: Object.fromEntries(ours), body: answer.body ?? null };
    const wanted = {
      status: response.status,
      headers: Object.fromEntries(theirs),
      body: this.parts.translated(response.body) ?? null,
    };
    return { got: mask(comparable(got, known)), wanted: mask(comparable(wanted, known)) };
  }

  #translatedBody(body: unknown): unknown {
    return typeof body === 'string' ? body : this.parts.translated(body);
  }

  #learnDeployment(headers: Readonly<Record<string, string>>, answer: Answer): void {
    const theirs = headers['Marathon-Deployment-Id'];
    const ours = answer.headers['marathon-deployment-id'];
    if (theirs !== undefined && typeof ours === 'string') this.parts.pairKnown(theirs, ours);
  }

  /**
   * Finds parts for tasks that no answer has told of yet: by the events so far, for each the first of ours that runs,
   * of the same app, and has none.
   */
  #pairTasks(request: string): void {
    for (const theirs of new Set(request.match(TASK_ID) ?? [])) {
      const instance = theirs.replace(/\._app\.\d+$/, '');
      if (this.parts.has(theirs) || this.parts.has(instance)) continue;
      const recorded = this.#record.events.find(({ data }) => data?.['taskId'] === theirs);
      const free = runningTasks(this.events).filter(
        ({ appId, taskId }) => appId === recorded?.data?.['appId'] && !this.parts.plays(taskId),
      );
      const version = this.parts.translate(String(recorded?.data?.['version'] ?? ''));
      const count = (taskId: string) => /\._app\.\d+$/.exec(taskId)?.[0];
      const same = free.filter((task) => task.version === version);
      const own = same.find(({ taskId }) => count(taskId) === count(theirs)) ?? same[0] ?? free[0];
      if (!own) continue;
      this.parts.pairTask(theirs, own.taskId);
    }
  }

  #pairPorts(theirs: number, ours: number): void {
    // The only recorded port that a request names is the fifty-first of an agent.
    this.parts.pair(String(theirs + 50), String(ours + 50));
  }
}

/** Lists in headers have no order. */
function listed(name: string, value: unknown): unknown {
  return name === 'Allow' && typeof value === 'string' ? value.split(',').toSorted() : value;
}

interface RunningTask {
  readonly appId: string;
  readonly taskId: string;
  readonly version: string;
}

function runningTasks(events: readonly TakenEvent[]): RunningTask[] {
  const running = new Map<string, RunningTask>();
  for (const { eventType, data } of events) {
    if (eventType !== 'status_update_event') continue;
    const taskId = String(data['taskId']);
    running.delete(taskId);
    const [appId, version] = [String(data['appId']), String(data['version'])];
    if (data['taskStatus'] === 'TASK_RUNNING') running.set(taskId, { taskId, appId, version });
  }
  return [...running.values()];
}

function takenFrom(event: GoldenRecord['events'][number]): TakenEvent {
  return { eventType: event.event, data: event.data ?? {} };
}

/** How often each kind of event came: only as much of it as cannot be different for good reasons. */
function countKinds(events: readonly TakenEvent[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { eventType, data } of events) {
    const subject = data['runSpecId'] ?? data['appId'] ?? '';
    const kind = `${eventType} ${subject} ${data['condition'] ?? data['taskStatus'] ?? ''}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
