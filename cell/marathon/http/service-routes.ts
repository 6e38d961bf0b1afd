import { backoffKey } from '../backoff.ts';
import { affectedApps } from '../deployments.ts';
import { allApps } from '../groups.ts';
import type { LaunchQueue } from '../launch-queue.ts';
import type { Orchestrator } from '../orchestrator.ts';
import { resolvePath } from '../path-id.ts';
import type { Profile } from '../profile.ts';
import type { ReadinessChecker } from '../readiness.ts';
import type { RunningDeployment } from '../state.ts';
import type { RouteParts } from './app-routes.ts';
import { type Answer, isSet, ok, type Request, type Route, STREAMING, started } from './exchange.ts';
import { errorPage } from './page-routes.ts';
import { emitQueueEntry } from './queue-view.ts';

export interface ServiceRouteParts extends RouteParts {
  readonly queue: LaunchQueue;
  readonly orchestrator: Orchestrator;
  readonly readiness: ReadinessChecker;
  readonly nowMs: () => number;
  readonly secondMs: number;
  /** `marathon_config` and the like of `/v2/info`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Ends this leader, after the answer is sent. */
  readonly abdicate: () => void;
}

/** Deployments, the queue, events, and what the service says about itself. */
export function serviceRoutes(parts: ServiceRouteParts): readonly Route[] {
  const { state, updates, orchestrator, origin } = parts;
  const leader = new URL(origin).host;
  return [
    {
      path: /^\/v2\/deployments$/,
      handlers: { GET: () => ok(orchestrator.running().map((deployment) => emitDeployment(parts, deployment))) },
    },
    {
      path: /^\/v2\/deployments\/([^/]+)$/,
      handlers: {
        DELETE: (request, id = '') => {
          if (!isSet(request, 'force')) return started(updates.revertDeployment(id));
          updates.stopDeployment(id);
          return { status: 202 };
        },
      },
    },
    { path: /^\/v2\/queue$/, handlers: { GET: (request) => ok({ queue: emitQueue(parts, request) }) } },
    { path: /^\/v2\/queue\/(.*)\/delay$/, handlers: { DELETE: (_request, id = '') => resetDelay(parts, id) } },
    {
      path: /^\/v2\/events$/,
      handlers: {
        GET: (request) => streamEvents(parts, request),
        POST: (request) => errorPage(request, 405, 'HTTP method POST is not supported by this URL'),
      },
    },
    { path: /^\/v2\/info$/, handlers: { GET: () => ok(emitInfo(parts, leader)) } },
    {
      path: /^\/v2\/leader$/,
      handlers: {
        GET: () => ok({ leader }),
        DELETE: () => {
          parts.abdicate();
          return ok({ message: 'Leadership abdicated' });
        },
      },
    },
    { path: /^\/v2\/plugins$/, handlers: { GET: () => ok({ plugins: [] }) } },
    {
      path: /^\/v2\/plugins\/([^/]+)\/.+$/,
      handlers: { GET: (_request, id = '') => untyped(parts.profile, `No plugin with this pluginId: ${id}`) },
    },
    { path: /^\/ping$/, handlers: { GET: ping } },
    { path: /^\/metrics$/, handlers: { GET: () => ok(metrics(parts)) } },
  ];

  function ping(request: Request): Answer {
    const json = /json/i.test(request.headers.accept ?? '');
    return json
      ? ok('pong')
      : {
          status: 200,
          body: 'pong',
          contentType: 'text/plain',
          headers: { Vary: 'Accept' },
        };
  }

  function metrics({ queue }: ServiceRouteParts) {
    return {
      version: '4.0.0',
      gauges: {
        'marathon.apps.active.gauge': { value: allApps(state.root).length },
        'marathon.instances.running.gauge': {
          value: [...state.instances.values()].filter((instance) => instance.condition === 'Running').length,
        },
        'marathon.deployments.active.gauge': { value: state.deployments.size },
        'marathon.instances.launch.queue.gauge': { value: queue.entries().length },
      },
      counters: {},
      histograms: {},
      meters: {},
      timers: {},
    };
  }
}

/** 404 of calls that answer in no type of their own. */
function untyped(profile: Profile, message: string): Answer {
  const body = { message, ...(profile.notFoundHasDetails ? { details: [] } : {}) };
  const contentType = profile.notFoundHasDetails ? 'application/octet-stream' : 'application/json';
  return { status: 404, body: JSON.stringify(body), contentType };
}

function emitDeployment(parts: ServiceRouteParts, { plan, step }: RunningDeployment): Record<string, unknown> {
  const current = plan.steps[step];
  return {
    id: plan.id,
    version: plan.version,
    affectedApps: affectedApps(plan),
    affectedPods: [],
    steps: plan.steps,
    currentActions: (current?.actions ?? []).map(({ action, app }) => ({
      action,
      app,
      readinessCheckResults: parts.readiness.results(parts.state.app(app), parts.state.instancesOf(app)),
    })),
    currentStep: step + 1,
    totalSteps: plan.steps.length,
  };
}

function emitQueue(parts: ServiceRouteParts, request: Request): readonly Record<string, unknown>[] {
  const { state, queue, nowMs, secondMs, profile } = parts;
  const withOffers = request.query.getAll('embed').includes('lastUnusedOffers');
  const options = { nowMs: nowMs(), secondMs, withOffers, tellsRoles: profile.tellsRoles };
  return queue.entries().flatMap((entry) => {
    const app = state.configOf(entry);
    return app ? [emitQueueEntry(entry, queue.offers(app.id), app, state.backoffs.get(backoffKey(app)), options)] : [];
  });
}

function resetDelay({ state, queue, orchestrator, profile, nowMs }: ServiceRouteParts, id: string): Answer {
  const app = state.app(resolvePath(id));
  const entry = queue.entries().find(({ appId }) => appId === app?.id);
  if (!app || !entry) return untyped(profile, `Application ${resolvePath(id)} not found in tasks queue.`);
  state.setBackoff(backoffKey(app), undefined);
  queue.allowed({ appId: app.id, generation: app.generation }, nowMs());
  orchestrator.look();
  return { status: 204 };
}

function streamEvents({ bus, profile }: ServiceRouteParts, request: Request): Answer | typeof STREAMING {
  const { accept } = request.headers;
  const fits = accept === 'text/event-stream' || (accept === undefined && profile.streamsWithoutAccept);
  if (!fits || request.isHead)
    return errorPage(request, 405, `HTTP method ${request.method} is not supported by this URL`);
  const types = request.query.getAll('event_type').filter((type) => type !== '');
  bus.attach(request.response, types, request.clientIp);
  return STREAMING;
}

function emitInfo({ state, profile, config }: ServiceRouteParts, leader: string): Record<string, unknown> {
  return {
    name: 'marathon',
    version: profile.version,
    buildref: 'cell',
    elected: true,
    leader,
    ...(state.frameworkId === undefined ? {} : { frameworkId: state.frameworkId }),
    ...config,
  };
}
