import { allApps } from '../groups.ts';
import { HttpError, invalidJson, NothingToChange, taskNotFound } from '../http-error.ts';
import { isObject, list, object, type Problem, required, text } from '../json-shape.ts';
import type { App, Instance } from '../model.ts';
import { resolvePath, safePath } from '../path-id.ts';
import type { Profile } from '../profile.ts';
import { servicePorts } from '../service-ports.ts';
import { existing, GroupOfApps, type RouteParts } from './app-routes.ts';
import { type Answer, isSet, jsonBody, ok, type Request, type Route, started } from './exchange.ts';

const taskIds = object({ ids: required(list(text())) });
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Tasks of one app and of all: list them, kill them. */
export function taskRoutes(parts: RouteParts): readonly Route[] {
  const { state, info } = parts;
  const group = new GroupOfApps(parts);
  return [
    {
      path: /^\/v2\/apps\/(.*?)\/?\*\/tasks$/,
      handlers: {
        GET: (_request, id = '') => {
          return ok({ tasks: group.definitions(id).flatMap((app) => info.tasks(app.id)) });
        },
      },
    },
    {
      path: /^\/v2\/apps\/(.*)\/tasks$/,
      handlers: {
        GET: (request, id = '') => {
          const app = existing(parts, id);
          if (wantsText(request)) return tasksAsText(parts, [app]);
          return ok({ tasks: info.tasks(app.id) });
        },
        DELETE: (request, id = '') => {
          const host = request.query.get('host') ?? '*';
          const { scaleNamesPath } = parts.profile;
          if (scaleNamesPath && isSet(request, 'scale') && !state.app(resolvePath(id))) {
            throw new NothingToChange(`Path '${resolvePath(id)}' does not exist`);
          }
          const instances = state.instancesOf(existing(parts, id).id);
          const chosen = instances.filter((instance) => host === '*' || instance.host === host);
          return kill(parts, request, chosen, (tasks) => ({ tasks }));
        },
      },
    },
    {
      path: /^\/v2\/apps\/(.*)\/tasks\/([^/]+)$/,
      handlers: {
        DELETE: (request, id = '', taskId = '') => {
          const app = existing(parts, id);
          const instance = state.instanceByTask(taskId);
          if (instance?.appId !== app.id) throw taskNotFound(taskId);
          return kill(parts, request, [instance], ([task]) => ({ task }));
        },
      },
    },
    {
      path: /^\/v2\/tasks$/,
      handlers: {
        GET: (request) =>
          wantsText(request) ? tasksAsText(parts, allApps(parts.state.root)) : ok({ tasks: allTasks(parts, request) }),
      },
    },
    { path: /^\/v2\/tasks\/delete$/, handlers: { POST: (request) => killList(parts, request) } },
  ];
}

function allTasks({ state, info }: RouteParts, request: Request): readonly Record<string, unknown>[] {
  const states = [...request.query.getAll('status'), ...request.query.getAll('status[]')];
  const wanted = states.flatMap((status) =>
    status === 'running' ? ['TASK_RUNNING'] : status === 'staging' ? ['TASK_STAGING', 'TASK_STARTING'] : [],
  );
  return [...state.instances.values()]
    .filter((instance) => wanted.length === 0 || wanted.includes(instance.state))
    .map((instance) => info.task(instance, { servicePorts: true }));
}

/** One line per service port: app, port, and where its running tasks listen. */
function tasksAsText({ state, profile }: RouteParts, apps: readonly App[]): Answer {
  if (!profile.tasksAsText) throw new HttpError(406, { message: 'Not Acceptable' });
  const lines = apps.flatMap((app) => {
    const running = state.instancesOf(app.id).filter((instance) => instance.state === 'TASK_RUNNING');
    return servicePorts(app).map((port, index) => {
      const places = running.flatMap(({ host, ports }) =>
        ports[index] === undefined ? [] : [`${host}:${ports[index]}`],
      );
      return [safePath(app.id), port, ...places, '\n'].join('\t');
    });
  });
  return { status: 200, body: lines.join(''), contentType: 'text/plain' };
}

function wantsText({ headers: { accept = '' } }: Request): boolean {
  return /text\/plain/i.test(accept) && !/json/i.test(accept);
}

/** Of this one list the original names no path. */
function readIds(body: unknown): readonly string[] {
  if (!isObject(body)) throw invalidJson([{ path: '', error: `${JSON.stringify(body)} is not an object` }]);
  const problems: Problem[] = [];
  const sent = taskIds(body, '', problems);
  if (!sent) throw invalidJson(problems.map(({ error }) => ({ path: '', error })));
  return sent.ids;
}

function invalidTaskId(profile: Profile, id: string, uuid: string): HttpError {
  if (!profile.refusesTaskIdsByName) return new HttpError(422, { message: `Invalid UUID string: ${uuid}` });
  const why = `taskId ${id} no valid identifier (of class java.lang.String)`;
  return new HttpError(400, { message: `Invalid task id '${id}'. [${why}]` });
}

function killList(parts: RouteParts, request: Request): Answer {
  const ids = readIds(jsonBody(request));
  for (const id of ids) {
    const uuid = /(?:\.(?:instance-|marathon-)?)([^.]+)(?:\._app\.\d+)?$/.exec(id)?.[1] ?? id;
    if (!UUID.test(uuid)) throw invalidTaskId(parts.profile, id, uuid);
  }
  // Named twice, it is one task all the same.
  const chosen = [...new Set(ids)].flatMap((id) => parts.state.instanceByTask(id) ?? []);
  return kill(parts, request, chosen, (tasks) => ({ tasks }));
}

/** Kills with or without lowering the instance count; answers with the tasks as they were before. */
function kill(
  parts: RouteParts,
  request: Request,
  chosen: readonly Instance[],
  answer: (tasks: readonly Record<string, unknown>[]) => unknown,
): Answer {
  const scale = isSet(request, 'scale');
  if (scale && isSet(request, 'wipe')) {
    throw new HttpError(400, { message: 'You cannot use scale and wipe at the same time.' });
  }
  if (scale) return started(parts.updates.killAndScale(chosen, isSet(request, 'force')));
  const before = chosen.map((instance) => parts.info.task(instance));
  parts.instances.kill(chosen, isSet(request, 'wipe') ? 'wiped' : 'again');
  return ok(answer(before));
}
