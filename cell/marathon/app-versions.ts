import type { Journal } from '../journal.ts';
import type { App } from './model.ts';

/** How many versions of each app are kept, and how many that were refused. */
const KEPT_VERSIONS = 50;

/**
 * The versions of each app, as Marathon's store has them: those that were in force, those of changes that were refused
 * because the app was locked, which are stored before that is found out, and in its list, once that was asked for, even
 * those that somebody asked for in vain. They outlive the app: one of the same name has them too.
 */
export class AppVersions {
  readonly #journal: Journal;
  readonly #accepted: Map<string, readonly App[]>;
  readonly #refused: Map<string, readonly App[]>;
  /** Versions asked for in vain since the list of an app was first asked for; not kept over a restart. */
  readonly #asked = new Map<string, Set<string>>();

  constructor(journal: Journal) {
    this.#journal = journal;
    const read = (prefix: string) =>
      new Map([...journal.withPrefix(prefix)].map(([key, value]) => [key.slice(prefix.length), value as App[]]));
    this.#accepted = read('versions ');
    this.#refused = read('refused-versions ');
  }

  /** Stores an app that is in force now, in the place of a former version of the same name. */
  accept(app: App): void {
    this.#store('versions ', this.#accepted, app);
  }

  /** Stores what a change would have made of an app. */
  refuse(app: App): void {
    this.#store('refused-versions ', this.#refused, app);
  }

  /** Those that were in force, oldest first. */
  accepted(id: string): readonly App[] {
    return this.#accepted.get(id) ?? [];
  }

  /** A version that can be read and be gone back to. One that is not there is listed from now on, if a list was read. */
  find(id: string, version: string): App | undefined {
    const found = [...this.accepted(id), ...(this.#refused.get(id) ?? [])].findLast((app) => app.version === version);
    const asked = this.#asked.get(id);
    if (!found && asked && asked.size < KEPT_VERSIONS) asked.add(version);
    return found;
  }

  /** Every version that Marathon would tell of. It has no order there; the one in force is the first here. */
  list(id: string): readonly string[] {
    const asked = this.#asked.get(id) ?? new Set<string>();
    this.#asked.set(id, asked);
    const stored = [...(this.#refused.get(id) ?? []), ...this.accepted(id)].map(({ version }) => version);
    return [...new Set([...stored.toReversed(), ...asked])];
  }

  /** The app is gone: what it was is still known, and what it was not is not any more. */
  gone(id: string): void {
    this.#asked.delete(id);
  }

  /** Nothing that is kept has the app any more. */
  forget(id: string): void {
    for (const [prefix, versions] of [
      ['versions ', this.#accepted],
      ['refused-versions ', this.#refused],
    ] as const) {
      if (versions.delete(id)) this.#journal.remove(`${prefix}${id}`);
    }
    this.#asked.delete(id);
  }

  #store(prefix: string, versions: Map<string, readonly App[]>, app: App): void {
    const others = (versions.get(app.id) ?? []).filter(({ version }) => version !== app.version);
    const kept = [...others, app].slice(-KEPT_VERSIONS);
    versions.set(app.id, kept);
    this.#journal.put(`${prefix}${app.id}`, kept);
  }
}
