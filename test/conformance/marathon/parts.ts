import { z } from 'zod';

const taskShape = z.looseObject({
  id: z.string(),
  appId: z.string(),
  host: z.string(),
  version: z.string().optional(),
  startedAt: z.string().optional(),
});
type Task = z.infer<typeof taskShape>;

/** Keys whose values name a state of apps, not a moment. */
const VERSION_KEYS = ['version', 'lastScalingAt', 'lastConfigChangeAt', 'runSpecVersion'];
const ID_KEYS = ['deploymentId'];

/**
 * For each recorded task, version and deployment the one that plays its part here. Learnt from pairs of answers; then
 * requests can be put in the words of this server, and recorded answers too.
 */
export class Parts {
  readonly #ours = new Map<string, string>();
  /** Of theirs, tasks and instances. */
  readonly #guessed = new Set<string>();
  /** Of ours, versions and deployments. Tasks are not among them: which is paired with which is a guess. */
  readonly #known = new Set<string>();

  /** Versions and deployments of ours that play a part: there both must say the same. */
  get known(): ReadonlySet<string> {
    return this.#known;
  }

  /** Notes what two answers to the same request name: what stands in the same place plays the same part. */
  learn(theirs: unknown, ours: unknown): void {
    this.#learnTasks(tasksIn(theirs), tasksIn(ours));
    this.#walk(theirs, ours);
  }

  /** Notes one pair. What was learnt first stays. */
  pair(theirs: string, ours: string): void {
    if (!this.#ours.has(theirs) && theirs !== ours) this.#ours.set(theirs, ours);
  }

  /** Notes a task and its instance. Which of several is which is a guess, which may change with another answer. */
  pairTask(theirs: string, ours: string): void {
    this.#guess(theirs, ours);
    // An instance keeps its id over several tasks.
    const [instance, own] = [instanceOf(theirs), instanceOf(ours)];
    if (instance !== undefined && own !== undefined) this.#guess(instance, own);
  }

  #guess(theirs: string, ours: string): void {
    this.#guessed.add(theirs);
    this.pair(theirs, ours);
  }

  /** Notes a version or a deployment: from now on it must be the same wherever it is told. */
  pairKnown(theirs: string, ours: string): void {
    // What plays one part already plays no other: an answer that came too early pairs nothing wrongly.
    if (this.#ours.has(theirs) || this.#known.has(ours)) return;
    this.pair(theirs, ours);
    this.#known.add(ours);
  }

  /** True when it is known what plays this part. */
  has(theirs: string): boolean {
    return this.#ours.has(theirs);
  }

  /** True when this is known to play one. */
  plays(ours: string): boolean {
    return [...this.#ours.values()].includes(ours);
  }

  /** A text in our words: a request's path or body, or a recorded answer. */
  translate(text: string, pairs: readonly (readonly [string, string])[] = [...this.#ours]): string {
    let translated = text;
    const longestFirst = pairs.toSorted(([a], [b]) => b.length - a.length);
    for (const [theirs, own] of longestFirst) translated = translated.replaceAll(theirs, own);
    return translated;
  }

  /** A recorded answer in our words. */
  translated(value: unknown): unknown {
    return value === undefined ? undefined : JSON.parse(this.translate(JSON.stringify(value)));
  }

  /** The same, but for tasks and instances: they keep their own names, so that each stays one. */
  translatedButTasks(value: unknown): unknown {
    const pairs = [...this.#ours].filter(([theirs]) => !this.#guessed.has(theirs));
    return JSON.parse(this.translate(JSON.stringify(value), pairs));
  }

  /** Tasks whose parts are known keep them; the others are paired in the order of their start. */
  #learnTasks(theirs: readonly Task[], ours: readonly Task[]): void {
    for (const appId of new Set(theirs.map((task) => task.appId))) {
      const mine = ours.filter((task) => task.appId === appId);
      const taken = new Set(theirs.map((task) => this.translate(task.id)));
      const free = mine.filter((task) => !taken.has(task.id)).toSorted(byStart);
      const open = theirs.filter((task) => task.appId === appId && !this.#isKnown(task.id)).toSorted(byStart);
      for (const [index, task] of open.entries()) {
        const own = free[index];
        if (!own) continue;
        this.pairTask(task.id, own.id);
      }
    }
  }

  #isKnown(taskId: string): boolean {
    return this.#ours.has(taskId) || this.#ours.has(instanceOf(taskId) ?? '');
  }

  #walk(theirs: unknown, ours: unknown): void {
    if (!(theirs instanceof Object) || !(ours instanceof Object)) return;
    if (Array.isArray(theirs)) {
      if (!Array.isArray(ours)) return;
      for (const [index, item] of theirs.entries()) this.#walk(item, sameItem(item, ours, index));
      return;
    }
    for (const [key, value] of Object.entries(theirs)) {
      const own: unknown = Reflect.get(ours, key);
      if (typeof value === 'string' && typeof own === 'string') {
        if (VERSION_KEYS.includes(key) || ID_KEYS.includes(key)) this.pairKnown(value, own);
      } else this.#walk(value, own);
    }
  }
}

/** The item of a list that means the same: by its id, where ids are paths, else the one in the same place. */
function sameItem(item: unknown, ours: readonly unknown[], index: number): unknown {
  const id = item instanceof Object ? Reflect.get(item, 'id') : undefined;
  if (typeof id !== 'string' || !id.startsWith('/')) return typeof id === 'string' ? undefined : ours[index];
  return ours.find((other) => other instanceof Object && Reflect.get(other, 'id') === id);
}

/** Every task that an answer tells of. */
export function tasksIn(value: unknown): readonly Task[] {
  if (!(value instanceof Object)) return [];
  const task = taskShape.safeParse(value);
  if (task.success) return [task.data];
  return Object.values(value).flatMap(tasksIn);
}

/** From 1.8 a task's id begins with its instance's; before, both hold the same UUID. */
function instanceOf(taskId: string): string | undefined {
  const [, path, uuid] = /^(.*)\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(taskId) ?? [];
  if (path !== undefined) return `${path}.marathon-${uuid}`;
  return /^(.*)\._app\.\d+$/.exec(taskId)?.[1];
}

function byStart(a: Task, b: Task): number {
  const [left, right] = [a, b].map((task) => `${task.version} ${task.startedAt ?? 'z'}`);
  return (left ?? '') < (right ?? '') ? -1 : 1;
}
