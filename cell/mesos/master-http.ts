/** The routes of a master, each at the root and under `/master`. */
import { type Handler, Refusal, sendBody, sendEmpty, sendJson } from './http-server.ts';
import type { Master } from './master.ts';
import { flags, metrics } from './master-figures.ts';
import { handleOperatorCall } from './operator-api.ts';
import { handleSchedulerCall } from './scheduler-api.ts';
import { frameworksView, rolesView, slavesView, stateSummary, stateView, tasksView } from './state-views.ts';
import { VERSION } from './version.ts';
import { wireJson } from './wire-json.ts';

type View = (master: Master, query: URLSearchParams) => unknown;

const VIEWS: Readonly<Record<string, View>> = {
  '/state': stateView,
  '/state-summary': stateSummary,
  '/slaves': (master, query) => slavesView(master, query.get('slave_id')),
  '/frameworks': (master, query) => frameworksView(master, query.get('framework_id')),
  '/tasks': tasksView,
  '/roles': rolesView,
  '/flags': (master) => ({ flags: flags(master) }),
  '/version': () => VERSION,
  '/metrics/snapshot': metrics,
  '/weights': () => [],
  '/quota': () => ({}),
  '/maintenance/schedule': () => ({}),
  '/maintenance/status': () => ({}),
};

export function masterHandler(master: Master): Handler {
  return (request, response) => {
    const path = request.path.replace(/^\/master(?=\/)/, '');
    const view = VIEWS[path];
    if (view !== undefined) {
      const callback = request.query.get('jsonp');
      const answer = view(master, request.query);
      if (callback === null) return sendJson(response, answer);
      return sendBody(response, 200, 'text/javascript', Buffer.from(`${callback}(${wireJson(answer)});`));
    }
    switch (path) {
      case '/api/v1':
        return handleOperatorCall(master, request, response);
      case '/api/v1/scheduler':
        return handleSchedulerCall(master, request, response);
      case '/health':
        return sendEmpty(response, 200);
      case '/redirect':
        return sendEmpty(response, 307, { Location: `//${master.options.hostname}:${master.options.port}` });
      default:
        throw new Refusal(404, '404 Not Found.');
    }
  };
}
