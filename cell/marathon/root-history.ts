import type { Journal } from '../journal.ts';
import { appDifferences, EMPTY_ROOT, findApp, type Group, type Root } from './groups.ts';
import type { App } from './model.ts';

/** How many trees are kept, the present one included. */
const KEPT_ROOTS = 50;

/** A tree on disk: instead of each app the stamp under which its definition is kept. */
interface Skeleton {
  readonly version: string;
  readonly group: SkeletonGroup;
}

interface SkeletonGroup extends Omit<Group, 'apps' | 'groups'> {
  readonly apps: Readonly<Record<string, string>>;
  readonly groups: Readonly<Record<string, SkeletonGroup>>;
}

/**
 * The trees of groups, former and present. Trees share the apps that did not change, in memory and on disk, so a
 * change of one app among a thousand writes that app and names of the others.
 */
export class RootHistory {
  readonly #journal: Journal;
  readonly #roots: Root[];
  /** Where the definition of an app is kept. */
  readonly #stamps = new WeakMap<App, string>();
  /** Of groups whose apps are all kept. */
  readonly #skeletons = new WeakMap<Group, SkeletonGroup>();

  constructor(journal: Journal) {
    this.#journal = journal;
    const definitions = new Map([...journal.withPrefix('definition ')].map(([key, value]) => [key, value as App]));
    const definition = (key: string): App => {
      const app = definitions.get(key);
      if (!app) throw new Error(`the journal lacks "${key}"; remove it to start without state`);
      return app;
    };
    for (const [key, app] of definitions) this.#stamps.set(app, key.slice(key.lastIndexOf(' ') + 1));
    this.#roots = [...journal.withPrefix('root ')].map(([, value]) => {
      const { version, group } = value as Skeleton;
      return { version, group: fleshed(group, definition) };
    });
  }

  /** Oldest first. */
  get all(): readonly Root[] {
    return this.#roots;
  }

  get current(): Root {
    return this.#roots.at(-1) ?? EMPTY_ROOT;
  }

  /** Makes a tree the present one; the oldest goes when there are too many. */
  push(root: Root): void {
    this.#journal.put(`root ${root.version}`, {
      version: root.version,
      group: this.#keep(root.group, root.version),
    });
    this.#roots.push(root);
    for (const old of this.#roots.splice(0, this.#roots.length - KEPT_ROOTS)) this.#drop(old);
  }

  /** Keeps the definitions of apps that are new. */
  #keep(group: Group, version: string): SkeletonGroup {
    const known = this.#skeletons.get(group);
    if (known) return known;
    const apps = Object.entries(group.apps).map(([name, app]) => {
      const stamp = this.#stamps.get(app) ?? version;
      if (!this.#stamps.has(app)) {
        this.#stamps.set(app, stamp);
        this.#journal.put(definitionKey(app.id, stamp), app);
      }
      return [name, stamp];
    });
    const groups = Object.entries(group.groups).map(([name, child]) => [name, this.#keep(child, version)]);
    const skeleton = { ...group, apps: Object.fromEntries(apps), groups: Object.fromEntries(groups) };
    this.#skeletons.set(group, skeleton);
    return skeleton;
  }

  /** What a tree that is dropped alone had. The tree after it shares the rest with it. */
  #drop(old: Root): void {
    this.#journal.remove(`root ${old.version}`);
    const [next] = this.#roots;
    if (!next) return;
    for (const { before } of appDifferences(old.group, next.group)) {
      if (!before || this.#roots.some((root) => findApp(root, before.id) === before)) continue;
      this.#journal.remove(definitionKey(before.id, this.#stamps.get(before) ?? ''));
    }
  }
}

function fleshed(group: SkeletonGroup, definition: (key: string) => App): Group {
  const prefix = group.id === '/' ? '/' : `${group.id}/`;
  const apps = Object.entries(group.apps).map(([name, stamp]) => [
    name,
    definition(definitionKey(`${prefix}${name}`, stamp)),
  ]);
  const groups = Object.entries(group.groups).map(([name, child]) => [name, fleshed(child, definition)]);
  return { ...group, apps: Object.fromEntries(apps), groups: Object.fromEntries(groups) };
}

function definitionKey(appId: string, stamp: string): string {
  return `definition ${appId} ${stamp}`;
}
