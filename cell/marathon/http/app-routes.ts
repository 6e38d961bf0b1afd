import { type AppChanges, completeApp, emitApp, readChanges } from '../app.ts';
import { APP_EMBEDS, type AppEmbed, type AppInfo } from '../app-info.ts';
import { type AppUpdate, appUpdateShape, newAppShape } from '../app-schema.ts';
import type { EventBus } from '../events.ts';
import { allApps, appsBelow, findGroup } from '../groups.ts';
import { appNotFound, groupNotFound, HttpError, invalidJson, invalidObject, notFound } from '../http-error.ts';
import type { Instances } from '../instances.ts';
import type { Problem, Shape } from '../json-shape.ts';
import { parseLabelSelector } from '../label-selector.ts';
import type { App } from '../model.ts';
import { isPathId, parentPath, resolvePath } from '../path-id.ts';
import type { Profile } from '../profile.ts';
import type { State } from '../state.ts';
import { isTimestamp } from '../timestamp.ts';
import type { Updates } from '../updates.ts';
import { type Answer, isSet, jsonBody, ok, type Request, type Route, started } from './exchange.ts';

/** What the routes work with. */
export interface RouteParts {
  readonly state: State;
  readonly bus: EventBus;
  readonly updates: Updates;
  readonly info: AppInfo;
  readonly instances: Instances;
  readonly profile: Profile;
  /** `http://host:port` of this Marathon. */
  readonly origin: string;
}

const ALWAYS: readonly AppEmbed[] = ['counts', 'deployments'];
const OF_ONE: readonly AppEmbed[] = ['tasks', 'counts', 'deployments', 'lastTaskFailure'];

/** `/v2/apps`: tasks of apps are in `task-routes.ts`, which come first, for their paths end differently. */
export function appRoutes(parts: RouteParts): readonly Route[] {
  const { state, updates, info } = parts;
  const group = new GroupOfApps(parts);
  return [
    {
      path: /^\/v2\/apps$/,
      handlers: {
        GET: (request) => ok({ apps: filteredApps(parts, request) }),
        POST: (request) => create(parts, request),
        PUT: (request) => updateMany(parts, request),
        PATCH: (request) => updateMany(parts, request),
      },
    },
    {
      path: /^\/v2\/apps\/(.*)\/restart$/,
      handlers: { POST: (request, id = '') => started(updates.restartApp(resolvePath(id), isSet(request, 'force'))) },
    },
    {
      path: /^\/v2\/apps\/(.*)\/versions$/,
      handlers: {
        GET: (_request, id = '') => {
          const app = existing(parts, id);
          return ok({ versions: state.versions.list(app.id) });
        },
      },
    },
    {
      path: /^\/v2\/apps\/(.*)\/versions\/([^/]+)$/,
      handlers: { GET: (_request, id = '', version = '') => ok(oneVersion(parts, id, version)) },
    },
    {
      path: /^\/v2\/apps\/(.*?)\/?\*$/,
      handlers: { GET: (request, id = '') => ok({ '*': group.apps(id, embeds(request, OF_ONE)) }) },
    },
    {
      path: /^\/v2\/apps\/(.*)$/,
      handlers: {
        GET: (request, id = '') => ok({ app: info.app(existing(parts, id), embeds(request, OF_ONE)) }),
        PUT: (request, id = '') => update(parts, request, resolvePath(id)),
        PATCH: (request, id = '') => update(parts, request, resolvePath(id)),
        DELETE: (request, id = '') => {
          const force = isSet(request, 'force', true);
          return started(updates.deleteApp(resolvePath(id), force));
        },
      },
    },
  ];
}

/** The parts of answers that a request asks for, besides those it always gets. */
export function embeds(request: Request, always: readonly AppEmbed[]): ReadonlySet<AppEmbed> {
  const wanted = new Set(always);
  for (const embed of request.query.getAll('embed')) {
    const name = embed.replace(/^(group\.)?apps?\./, '');
    // The old name for three at once; tasks bring their deployments along.
    if (name === 'failures') for (const one of ['tasks', 'deployments', 'lastTaskFailure'] as const) wanted.add(one);
    const known = APP_EMBEDS.find((one) => one === name);
    if (known) wanted.add(known);
    if (known === 'tasks') wanted.add('deployments');
  }
  return wanted;
}

/** Reads a body by a shape, or throws the 422 that names everything wrong with it. */
export function read<T>(shape: Shape<T>, body: unknown, path = ''): T {
  const problems: Problem[] = [];
  const value = shape(body, path, problems);
  if (value === undefined || problems.length > 0) throw invalidJson(problems);
  return value;
}

/** Apps below a group, by its id or `group/*`. */
export class GroupOfApps {
  readonly #parts: RouteParts;

  constructor(parts: RouteParts) {
    this.#parts = parts;
  }

  apps(id: string, wanted: ReadonlySet<AppEmbed>): readonly Record<string, unknown>[] {
    return this.definitions(id).map((app) => this.#parts.info.app(app, wanted));
  }

  definitions(id: string): readonly App[] {
    const group = findGroup(this.#parts.state.root, resolvePath(id));
    if (!group) throw groupNotFound(resolvePath(id));
    return appsBelow(group);
  }
}

export function existing(parts: Pick<RouteParts, 'state'>, id: string): App {
  const app = parts.state.app(resolvePath(id));
  if (!app) throw appNotFound(resolvePath(id));
  return app;
}

function filteredApps({ state, info }: RouteParts, request: Request): readonly Record<string, unknown>[] {
  const id = request.query.get('id')?.toLowerCase();
  const cmd = request.query.get('cmd')?.toLowerCase();
  const label = request.query.get('label');
  const selector = label ? parseLabelSelector(label) : undefined;
  return allApps(state.root)
    .filter((app) => id === undefined || app.id.toLowerCase().includes(id))
    .filter((app) => cmd === undefined || (app.cmd ?? '').toLowerCase().includes(cmd))
    .filter((app) => selector === undefined || selector(app.labels))
    .map((app) => info.app(app, embeds(request, ALWAYS)));
}

function create(parts: RouteParts, request: Request): Answer {
  const body = jsonBody(request);
  const sent = read(newAppShape, body);
  const id = resolvePath(sent.id);
  const result = parts.updates.createApp(id, readChanges(sent, parentPath(id)), isSet(request, 'force'));
  const { version } = result;
  const definition = emitApp(
    { ...result.app, version, lastScalingAt: version, lastConfigChangeAt: version, generation: version },
    { versionInfo: false },
  );
  tellPost(parts, request, definition);
  return {
    status: 201,
    headers: { Location: `${parts.origin}${id}`, 'Marathon-Deployment-Id': result.deploymentId },
    body: {
      ...definition,
      tasksStaged: 0,
      tasksRunning: 0,
      tasksHealthy: 0,
      tasksUnhealthy: 0,
      deployments: [{ id: result.deploymentId }],
      ...(parts.profile.createdAppListsTasks ? { tasks: [] } : {}),
    },
  };
}

function update(parts: RouteParts, request: Request, id: string): Answer {
  const { state, updates, profile } = parts;
  const force = isSet(request, 'force');
  const sent = read(appUpdateShape, jsonBody(request));
  const created = state.app(id) === undefined;
  if (sent.version !== undefined && !created) return rollBack(parts, request, id, sent, sent.version);
  const changes = readChanges(sent, parentPath(id));
  const full = !isSet(request, 'partialUpdate', true);
  if (created && request.method === 'PATCH') {
    // Looked at as an app of its own first: only a body that would make one is told that there is none.
    updates.checked(completeApp(id, changes, profile));
    throw appNotFound(id);
  }
  if (!isPathId(id)) throw invalidJson([{ path: '/id', error: 'error.pattern' }]);
  const result = updates.updateApps([{ id, changes, full }], { force });
  tellStored(parts, request, id);
  return started(result, created ? 201 : 200, created ? { Location: `${parts.origin}${id}` } : {});
}

function rollBack(parts: RouteParts, request: Request, id: string, sent: AppUpdate, version: string): Answer {
  const others = Object.keys(sent).filter((field) => field !== 'version' && field !== 'id');
  if (others.length > 0) {
    const error = "The 'version' field may only be combined with the 'id' field.";
    throw invalidObject([{ path: '/', error }]);
  }
  const result = parts.updates.rollBackApp(id, normalTimestamp(version), isSet(request, 'force'));
  tellStored(parts, request, id);
  return started(result);
}

function updateMany(parts: RouteParts, request: Request): Answer {
  const body = jsonBody(request);
  if (!Array.isArray(body)) throw invalidJson([{ path: '', error: 'error.expected.jsarray' }]);
  const many: { id: string; changes: AppChanges }[] = body.flatMap((one, index) => {
    const sent = read(appUpdateShape, one, `(${index})`);
    if (sent.id === undefined) return [];
    const id = resolvePath(sent.id);
    return [{ id, changes: readChanges(sent, parentPath(id)) }];
  });
  return started(parts.updates.updateApps(many, { force: isSet(request, 'force'), many: true }));
}

function oneVersion({ state }: RouteParts, id: string, version: string): Record<string, unknown> {
  const path = resolvePath(id);
  const wanted = normalTimestamp(version);
  const app = state.versions.find(path, wanted);
  if (!app) throw notFound(`App '${path}' does not exist in version ${wanted}`);
  return emitApp(app);
}

/** Versions are compared as moments, not as text. */
export function normalTimestamp(text: string): string {
  if (isTimestamp(text)) return new Date(text).toISOString();
  throw new HttpError(422, { message: `Invalid timestamp provided '${text}'. Expecting ISO-8601 datetime string.` });
}

function tellStored(parts: RouteParts, request: Request, id: string): void {
  const app = parts.state.app(id);
  if (app) tellPost(parts, request, emitApp(app));
}

function tellPost({ bus }: RouteParts, request: Request, appDefinition: unknown): void {
  bus.publish('api_post_event', { clientIp: request.clientIp, uri: request.uri, appDefinition });
}
