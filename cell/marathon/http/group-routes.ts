import { completeApp, configOf, emitApp, readChanges } from '../app.ts';
import type { AppEmbed } from '../app-info.ts';
import { type AppUpdate, newAppShape, pathId } from '../app-schema.ts';
import { appsBelow, changeGroup, findGroup, type Group, withoutGroup } from '../groups.ts';
import { groupNotFound, HttpError, invalidObject } from '../http-error.ts';
import { list, number, object, optional, type Problem, type Shape, text } from '../json-shape.ts';
import { lastSegment, parentPath, resolvePath } from '../path-id.ts';
import type { Profile } from '../profile.ts';
import type { Stamp } from '../updates.ts';
import { embeds, normalTimestamp, type RouteParts, read } from './app-routes.ts';
import { type Answer, isSet, jsonBody, ok, type Request, type Route, started } from './exchange.ts';

/** A group as users send it; absent members of a change stay as they are. */
interface GroupUpdate {
  readonly id?: string;
  readonly apps?: readonly (AppUpdate & { readonly id: string })[];
  readonly groups?: readonly GroupUpdate[];
  readonly dependencies?: readonly string[];
  readonly scaleBy?: number;
  readonly version?: string;
}

const groupShape: Shape<GroupUpdate> = (value, path, problems) =>
  object({
    id: optional(pathId),
    apps: optional(list(newAppShape)),
    groups: optional(list(groupShape)),
    dependencies: optional(list(text())),
    scaleBy: optional(number({ min: 0 })),
    version: optional(text()),
  })(value, path, problems);

export function groupRoutes(parts: RouteParts): readonly Route[] {
  const { state, updates } = parts;
  const at = (id: string) => {
    const group = findGroup(state.root, resolvePath(id));
    if (!group) throw groupNotFound(resolvePath(id));
    return group;
  };
  const byMethod = {
    GET: (request: Request, id = '') => ok(emitGroup(parts, at(id), request)),
    POST: (request: Request, id = '') => create(parts, request, resolvePath(id)),
    PUT: (request: Request, id = '') => update(parts, request, resolvePath(id)),
    DELETE: (request: Request, id = '') => {
      const path = resolvePath(id);
      const options = { force: isSet(request, 'force'), group: path === '/' ? '/' : parentPath(path) };
      return started(
        updates.change(options, (tree) => {
          at(id);
          return withoutGroup(tree, path);
        }),
      );
    },
  };
  return [
    {
      path: /^\/v2\/groups(?:\/(.*))?\/apps$/,
      handlers: {
        GET: (request, id = '') => {
          const wanted = embeds(request, ['counts', 'deployments']);
          return ok(appsBelow(at(id)).map((app) => parts.info.app(app, wanted)));
        },
      },
    },
    {
      path: /^\/v2\/groups(?:\/(.*))?\/versions$/,
      handlers: {
        GET: (_request, id = '') => {
          at(id);
          const having = state.roots.filter((root) => findGroup(root, resolvePath(id)));
          return ok(having.map((root) => root.version));
        },
      },
    },
    {
      path: /^\/v2\/groups(?:\/(.*))?\/versions\/([^/]+)$/,
      handlers: {
        GET: (request, id = '', version = '') => {
          const root = rootAt(parts, version);
          const group = root && findGroup(root, resolvePath(id));
          if (!root || !group) throw groupNotFound(resolvePath(id));
          return ok(emitGroup(parts, group, request, root.version));
        },
      },
    },
    { path: /^\/v2\/groups(?:\/(.*))?$/, handlers: byMethod },
  ];
}

/** What is wrong in a group by itself is refused before it is a change: nobody is told then. */
const UNCHANGED: Stamp = (tree) => tree;

function create(parts: RouteParts, request: Request, base: string): Answer {
  const { state, updates } = parts;
  const sent = read(groupShape, jsonBody(request));
  const id = sent.id === undefined ? base : resolvePath(sent.id, base);
  if (id !== '/') refuseRoleChanges(parts, id, sent);
  if (findGroup(state.root, id)) {
    throw new HttpError(409, { message: `Group ${id} is already created. Use PUT to change this group.` });
  }
  if (state.app(id)) throw new HttpError(409, { message: `An app with the path ${id} already exists.` });
  applied(parts, state.root.group, id, sent, UNCHANGED);
  const options = { force: isSet(request, 'force'), group: parentPath(base) };
  const result = updates.change(options, (tree, stamp) => applied(parts, tree, id, sent, stamp));
  return started(result, 201, { Location: `${parts.origin}${id}` });
}

function update(parts: RouteParts, request: Request, base: string): Answer {
  const { state, updates } = parts;
  const sent = read(groupShape, jsonBody(request));
  const id = base === '/' && sent.id !== undefined ? resolvePath(sent.id) : base;
  const exists = findGroup(state.root, id) !== undefined;
  refuseOtherThanFactor(sent);
  const change = changeFor(parts, id, sent);
  if (sent.version === undefined && sent.scaleBy === undefined) {
    refuseRoleChanges(parts, id, sent);
    applied(parts, state.root.group, id, sent, UNCHANGED);
  }
  if (isSet(request, 'dryRun')) return ok({ steps: updates.dryRun(change).steps });
  const options = { force: isSet(request, 'force'), group: parentPath(base) };
  return started(updates.change(options, change), exists ? 200 : parts.profile.groupMadeByPutStatus);
}

/** A version wins over a factor, and both over everything else. */
function changeFor(parts: RouteParts, id: string, sent: GroupUpdate) {
  if (sent.version !== undefined) {
    const root = rootAt(parts, sent.version);
    const old = root && findGroup(root, id);
    return (tree: Group, stamp: Stamp) => {
      if (!old) throw new HttpError(422, { message: `Group ${id} not available in version ${sent.version}` });
      return restored(
        changeGroup(tree, id, () => old),
        old,
        stamp,
      );
    };
  }
  const factor = sent.scaleBy;
  if (factor !== undefined) {
    return (tree: Group, stamp: Stamp) => scaled(parts, tree, id, factor, stamp);
  }
  return (tree: Group, stamp: Stamp) => applied(parts, tree, id, sent, stamp);
}

function restored(tree: Group, old: Group, stamp: Stamp): Group {
  return appsBelow(old).reduce((changed, app) => stamp(changed, configOf(app)), tree);
}

/** What Scala makes of a number that 32 bits do not hold. */
const MAX_INSTANCES = 2_147_483_647;

/** Every app of the group and below it gets `factor` times its instances, rounded up. A group that is missing is made. */
function scaled({ state }: RouteParts, tree: Group, id: string, factor: number, stamp: Stamp): Group {
  const group = findGroup(state.root, id);
  const apps = group ? appsBelow(group) : [];
  return apps.reduce(
    (changed, app) =>
      stamp(changed, { ...configOf(app), instances: Math.min(Math.ceil(app.instances * factor), MAX_INSTANCES) }),
    changeGroup(tree, id, (existing) => existing),
  );
}

/** The tree with one group as it was sent: what it does not name of what it lists goes away. */
function applied(parts: RouteParts, tree: Group, id: string, sent: GroupUpdate, stamp: Stamp): Group {
  const { updates, profile } = parts;
  const apps = (sent.apps ?? []).map((app, index) => ({ ...app, id: childPath(app.id, id, `/apps(${index})/id`) }));
  const groups = (sent.groups ?? []).map((group, index) => ({
    ...group,
    id: childPath(group.id ?? '', id, `/groups(${index})/id`),
  }));
  let changed = changeGroup(tree, id, (group) => ({
    ...group,
    dependencies: sent.dependencies?.map((dependency) => resolvePath(dependency, parentPath(id))) ?? group.dependencies,
    apps: sent.apps ? pick(group.apps, apps) : group.apps,
    groups: sent.groups ? pick(group.groups, groups) : group.groups,
  }));
  for (const app of apps) {
    changed = stamp(changed, updates.checked(completeApp(app.id, readChanges(app, id), profile)));
  }
  for (const group of groups) changed = applied(parts, changed, group.id, group, stamp);
  return changed;
}

function childPath(id: string, group: string, at: string): string {
  const path = resolvePath(id, group);
  if (parentPath(path) === group && path !== '/') return path;
  throw invalidObject([{ path: at, error: `Identifier is not child of '${group}'` }]);
}

function refuseOtherThanFactor(sent: GroupUpdate): void {
  if (sent.scaleBy === undefined || Object.keys(sent).length === 1) return;
  throw invalidObject([{ path: '/scaleBy', error: 'not allowed in conjunction with other properties.' }]);
}

/**
 * A fault of 1.11: it reads every group of a request as if `enforceRole: false` were written there, which the root and
 * groups below the top level have not, so that it refuses to change those that exist.
 */
function refuseRoleChanges({ state, profile }: RouteParts, id: string, sent: GroupUpdate): void {
  if (profile.enforceRole !== 'top') return;
  const error =
    'enforceRole cannot be modified in a request that adds, removes or modifies services; please make these changes in separate requests.';
  const nested = (group: GroupUpdate, path: string, at: string): Problem[] =>
    (group.groups ?? []).flatMap((child, index) => {
      const childId = resolvePath(child.id ?? '', path);
      const below = `${at}/groups(${index})`;
      const changes = path !== '/' && findGroup(state.root, childId) !== undefined;
      return [...(changes ? [{ path: `${below}/enforceRole`, error }] : []), ...nested(child, childId, below)];
    });
  const changesRoot = id === '/' && Object.keys(sent).some((key) => key === 'apps' || key === 'groups');
  const problems = [...(changesRoot ? [{ path: '/enforceRole', error }] : []), ...nested(sent, id, '')];
  if (problems.length > 0) throw invalidObject(problems);
}

function pick<T>(entries: Readonly<Record<string, T>>, named: readonly { readonly id: string }[]) {
  const names = new Set(named.map(({ id }) => lastSegment(id)));
  return Object.fromEntries(Object.entries(entries).filter(([name]) => names.has(name)));
}

function rootAt({ state }: RouteParts, version: string) {
  const wanted = normalTimestamp(version);
  return state.roots.find((root) => root.version === wanted);
}

function emitGroup(parts: RouteParts, group: Group, request: Request, version = parts.state.root.version) {
  const asked = request.query.getAll('embed').filter((embed) => embed.startsWith('group.'));
  const has = (name: string) => asked.length === 0 || asked.some((embed) => embed.startsWith(`group.${name}`));
  const wanted = embeds(request, []);
  const member = (name: string, list: () => readonly unknown[]) =>
    has(name) ? { [name]: list() } : parts.profile.emptyGroupLists ? { [name]: [] } : {};
  const emit = (one: Group): Record<string, unknown> => ({
    id: one.id,
    dependencies: one.dependencies,
    version,
    ...member('apps', () => Object.values(one.apps).map((app) => emitMember(parts, app, wanted))),
    ...member('groups', () => Object.values(one.groups).map(emit)),
    ...member('pods', () => []),
    ...(hasEnforceRole(parts.profile, one.id) ? { enforceRole: false } : {}),
  });
  return emit(group);
}

function hasEnforceRole({ enforceRole }: Profile, id: string): boolean {
  return enforceRole === 'all' || (enforceRole === 'top' && id !== '/' && parentPath(id) === '/');
}

function emitMember(parts: RouteParts, app: Group['apps'][string], wanted: ReadonlySet<AppEmbed>) {
  return wanted.size > 0 ? parts.info.app(app, wanted) : emitApp(app);
}
