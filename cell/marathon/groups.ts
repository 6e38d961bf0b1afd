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
  let group: Group | undefined = root.group;
  for (const segment of id.split('/').filter(Boolean)) group = group && own(group.groups, segment);
  return group;
}

export function findApp(root: Root, id: string): App | undefined {
  const group = findGroup(root, parentPath(id));
  return group && own(group.apps, lastSegment(id));
}

/** Every app of a group and below it, in the order of ids. */
export function appsBelow(group: Group): readonly App[] {
  const own = Object.values(group.apps);
  return [...own, ...Object.values(group.groups).flatMap(appsBelow)].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

export function allApps(root: Root): readonly App[] {
  return appsBelow(root.group);
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
  const waitsFor = new Map(apps.map((app) => [app.id, dependenciesOf(root, app, apps)]));
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

class CircleError extends Error {}

function dependenciesOf(root: Root, app: App, apps: readonly App[]): readonly string[] {
  const named = [...app.dependencies];
  for (let id = parentPath(app.id); ; id = parentPath(id)) {
    named.push(...(findGroup(root, id)?.dependencies ?? []));
    if (id === '/') break;
  }
  // What most apps have: looking at all others for nothing would take a thousand apps a million looks.
  if (named.length === 0) return [];
  return apps.filter((other) => named.some((id) => other.id === id || isBelow(other.id, id))).map((other) => other.id);
}

/** An entry of this very name: every object also has a `constructor`, which is a good name for an app. */
function own<T>(entries: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}

function without<T>(entries: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> {
  const { [name]: _gone, ...rest } = entries;
  return rest;
}
