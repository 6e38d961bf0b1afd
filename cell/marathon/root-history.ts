import type { Journal } from '../journal.ts';
import { appDifferences, EMPTY_ROOT, findApp, type Group, type Root } from './groups.ts';
import type { App } from './model.ts';

/** How many trees are kept, the present one included, and how many that were refused. */
const KEPT_ROOTS = 50;

type Kind = 'root' | 'refused';

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
  readonly #refused: Root[];
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
    const read = (kind: Kind) =>
      [...journal.withPrefix(`${kind} `)].map(([, value]) => {
        const { version, group } = value as Skeleton;
        return { version, group: fleshed(group, definition) };
      });
    this.#roots = read('root');
    this.#refused = read('refused');
  }

  /** Those that were refused, then those that were made; of either the oldest first. */
  get all(): readonly Root[] {
    return [...this.#refused, ...this.#roots];
  }

  get current(): Root {
    return this.#roots.at(-1) ?? EMPTY_ROOT;
  }

  /**
   * Makes a tree the present one, in the place of a former one of its version; the oldest goes when there are too many.
   *
   * @returns ids of apps that went with it: no tree has them any more
   */
  push(root: Root): readonly string[] {
    const same = this.#roots.findIndex(({ version }) => version === root.version);
    const replaced = same < 0 ? [] : this.#roots.splice(same, 1);
    // The last one in the journal is the present one.
    for (const { version } of replaced) this.#journal.remove(`root ${version}`);
    this.#write('root', root);
    this.#roots.push(root);
    const gone = replaced.flatMap((old) => this.#forgetDefinitions(old));
    return [...gone, ...this.#trim('root', this.#roots)];
  }

  /** Keeps a tree that a change would have made that was refused. */
  pushRefused(root: Root): void {
    this.#write('refused', root);
    this.#refused.push(root);
    this.#trim('refused', this.#refused);
  }

  #write(kind: Kind, root: Root): void {
    this.#journal.put(`${kind} ${root.version}`, {
      version: root.version,
      group: this.#keep(root.group, root.version),
    });
  }

  #trim(kind: Kind, roots: Root[]): readonly string[] {
    return roots.splice(0, roots.length - KEPT_ROOTS).flatMap((old) => {
      this.#journal.remove(`${kind} ${old.version}`);
      return this.#forgetDefinitions(old);
    });
  }

  /** Keeps the definitions of apps that are new. */
  #keep(group: Group, version: string): SkeletonGroup {
    const known = this.#skeletons.get(group);
    if (known) return known;
    const apps = Object.entries(group.apps).map(([name, app]) => {
      const stamp = this.#stamps.get(app) ?? this.#freeStamp(app, version);
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

  /** A version may come twice, with another definition. */
  #freeStamp(app: App, version: string): string {
    let stamp = version;
    while (this.#journal.get(definitionKey(app.id, stamp)) !== undefined) stamp += '+';
    return stamp;
  }

  /** What a tree that is kept no longer had alone. Any other tree shares with it what is not looked at. */
  #forgetDefinitions(old: Root): readonly string[] {
    const gone: string[] = [];
    const [other = EMPTY_ROOT] = this.#roots;
    for (const { before } of appDifferences(old.group, other.group)) {
      if (!before) continue;
      const kept = this.all.flatMap((root) => findApp(root, before.id) ?? []);
      if (kept.length === 0) gone.push(before.id);
      if (!kept.includes(before)) this.#journal.remove(definitionKey(before.id, this.#stamps.get(before) ?? ''));
    }
    return gone;
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
