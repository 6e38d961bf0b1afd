import type { App } from './model.ts';
import { isBelow, lastSegment, parentPath } from './path-id.ts';

/** The tree of groups. Immutable: a change makes a new tree that shares what it did not touch. */
export interface Group {
  readonly id: string;
  readonly dependencies: readonly string[];
  /** By last segment of their ids. */
  readonly apps: Readonly<Record<string, App>>;
  readonly groups: Readonly<Record<string, Group>>;
}

/** The whole tree. Its version is shown for every group in it: groups have none of their own. */
export interface Root {
  readonly version: string;
  readonly group: Group;
}

export const EMPTY_ROOT: Root = { version: '1970-01-01T00:00:00.000Z', group: emptyGroup('/') };

export function emptyGroup(id: string): Group {
  return { id, dependencies: [], apps: {}, groups: {} };
}

export function findGroup(root: Root, id: string): Group | undefined {
  return groupIn(root.group, id);
}

function groupIn(tree: Group, id: string): Group | undefined {
  let group: Group | undefined = tree;
  for (const segment of id.split('/').filter(Boolean)) group = group && own(group.groups, segment);
  return group;
}

export function findApp(root: Root, id: string): App | undefined {
  const group = findGroup(root, parentPath(id));
  return group && own(group.apps, lastSegment(id));
}

/** What `appsBelow` has answered: groups never change, and most of a tree is shared by the tree after it. */
const sorted = new WeakMap<Group, readonly App[]>();

/** Every app of a group and below it, in the order of ids. */
export function appsBelow(group: Group): readonly App[] {
  const known = sorted.get(group);
  if (known) return known;
  const all = [...Object.values(group.apps), ...Object.values(group.groups).flatMap(appsBelow)];
  const apps = all.sort((a, b) => (a.id < b.id ? -1 : 1));
  sorted.set(group, apps);
  return apps;
}

export function allApps(root: Root): readonly App[] {
  return appsBelow(root.group);
}

/** An app before and after a change of the tree; one of both is there, and they are not the same object. */
export interface AppDifference {
  readonly before: App | undefined;
  readonly after: App | undefined;
}

/** Apps in which two trees differ, in the order of ids. What the trees share is not looked at. */
export function appDifferences(from: Group, to: Group): readonly AppDifference[] {
  const all = [...differencesBelow(from, to)];
  const idOf = ({ before, after }: AppDifference) => (after ?? before)?.id ?? '';
  return all.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

function* differencesBelow(from: Group | undefined, to: Group | undefined): Generator<AppDifference> {
  if (from === to) return;
  for (const name of new Set([...Object.keys(from?.apps ?? {}), ...Object.keys(to?.apps ?? {})])) {
    const [before, after] = [from && own(from.apps, name), to && own(to.apps, name)];
    if (before !== after) yield { before, after };
  }
  for (const name of new Set([...Object.keys(from?.groups ?? {}), ...Object.keys(to?.groups ?? {})])) {
    yield* differencesBelow(from && own(from.groups, name), to && own(to.groups, name));
  }
}

/** Stores an app; groups on the way are created, and stay when their last app goes. */
export function withApp(group: Group, app: App): Group {
  return changeGroup(group, parentPath(app.id), (parent) => ({
    ...parent,
    apps: { ...parent.apps, [lastSegment(app.id)]: app },
  }));
}

export function withoutApp(group: Group, id: string): Group {
  return changeGroup(group, parentPath(id), (parent) => ({ ...parent, apps: without(parent.apps, lastSegment(id)) }));
}

export function withoutGroup(group: Group, id: string): Group {
  if (id === '/') return emptyGroup('/');
  return changeGroup(group, parentPath(id), (parent) => ({
    ...parent,
    groups: without(parent.groups, lastSegment(id)),
  }));
}

/** Ids of the groups that a tree has and a former one had not, inner ones first. */
export function addedGroups(before: Group | undefined, after: Group): readonly string[] {
  if (before === after) return [];
  const below = Object.entries(after.groups).flatMap(([name, group]) =>
    addedGroups(before && own(before.groups, name), group),
  );
  return before ? below : [...below, after.id];
}

/**
 * A tree without those of the named groups that hold nothing, as a group that was made for an app alone when the app is
 * taken back.
 *
 * @param ids inner groups first
 */
export function withoutEmptyGroups(tree: Group, ids: readonly string[]): Group {
  return ids.reduce((left, id) => {
    const group = groupIn(left, id);
    const isEmpty = group && Object.keys(group.apps).length + Object.keys(group.groups).length === 0;
    return isEmpty ? withoutGroup(left, id) : left;
  }, tree);
}

/** Replaces one group of the tree by what `change` makes of it; it is created empty where there is none. */
export function changeGroup(group: Group, id: string, change: (group: Group) => Group): Group {
  if (group.id === id) return change(group);
  const rest = id.slice(group.id === '/' ? 1 : group.id.length + 1);
  const segment = rest.split('/')[0] ?? '';
  const childId = group.id === '/' ? `/${segment}` : `${group.id}/${segment}`;
  const child = own(group.groups, segment) ?? emptyGroup(childId);
  return { ...group, groups: { ...group.groups, [segment]: changeGroup(child, id, change) } };
}

/** The id of a group that is also the id of an app; undefined when there is none. */
export function sharedId(group: Group): string | undefined {
  for (const [name, child] of Object.entries(group.groups)) {
    if (own(group.apps, name)) return child.id;
    const below = sharedId(child);
    if (below !== undefined) return below;
  }
  return undefined;
}

/** An app that must wait for others in a deployment that goes round in a circle. */
export const CYCLE = 'cycle';

/**
 * For each app how many steps come before it, because of dependencies of its own or of a group around it on apps or
 * groups; `CYCLE` when dependencies go round in a circle. Dependencies on what does not exist are ignored.
 */
export function dependencyLevels(root: Root): ReadonlyMap<string, number> | typeof CYCLE {
  const apps = allApps(root);
  if (!hasDependencies(root.group)) return new Map(apps.map((app) => [app.id, 0]));
  const waitsFor = new Map(apps.map((app) => [app.id, dependenciesOf(app, groupsAround(root, app), apps)]));
  const levels = new Map<string, number>();
  const path = new Set<string>();
  const level = (id: string): number => {
    const known = levels.get(id);
    if (known !== undefined) return known;
    if (path.has(id)) throw new CircleError();
    path.add(id);
    const own = Math.max(-1, ...(waitsFor.get(id) ?? []).map(level)) + 1;
    path.delete(id);
    levels.set(id, own);
    return own;
  };
  try {
    for (const app of apps) level(app.id);
  } catch (error) {
    if (error instanceof CircleError) return CYCLE;
    throw error;
  }
  return levels;
}

/** Whether anything in a group waits for something; known for what trees share. */
const waiting = new WeakMap<Group, boolean>();

function hasDependencies(group: Group): boolean {
  const known = waiting.get(group);
  if (known !== undefined) return known;
  const has =
    group.dependencies.length > 0 ||
    Object.values(group.apps).some(({ dependencies }) => dependencies.length > 0) ||
    Object.values(group.groups).some(hasDependencies);
  waiting.set(group, has);
  return has;
}

class CircleError extends Error {}

function dependenciesOf(app: App, around: readonly Group[], apps: readonly App[]): readonly string[] {
  const named = [...app.dependencies, ...around.flatMap(({ dependencies }) => dependencies)];
  // What most apps have: looking at all others for nothing would take a thousand apps a million looks.
  if (named.length === 0) return [];
  return apps.filter((other) => named.some((id) => other.id === id || isBelow(other.id, id))).map((other) => other.id);
}

/** An entry of this very name: every object also has a `constructor`, which is a good name for an app. */
function own<T>(entries: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}

/** The groups that an app is in, from the root inwards. */
function groupsAround(root: Root, app: App): readonly Group[] {
  const around = [root.group];
  let group: Group | undefined = root.group;
  for (const segment of parentPath(app.id).split('/').filter(Boolean)) {
    group = group && own(group.groups, segment);
    if (group) around.push(group);
  }
  return around;
}

function without<T>(entries: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> {
  const { [name]: _gone, ...rest } = entries;
  return rest;
}
