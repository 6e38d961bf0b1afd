/** The routes of a master, each at the root and under `/master`. */

import { requireMethod } from './api-preamble.ts';
import { readBody, readList } from './encoding.ts';
import { type Handler, type HttpRequest, Refusal, sendBody, sendEmpty, sendJson } from './http-server.ts';
import type { MachineId } from './machine.ts';
import {
  maintenanceSchedule,
  maintenanceStatus,
  startMaintenance,
  stopMaintenance,
  updateSchedule,
} from './maintenance-orders.ts';
import type { Master } from './master.ts';
import { flags, metrics } from './master-figures.ts';
import { nearestRoute } from './nearest-route.ts';
import { handleOperatorCall, obey } from './operator-api.ts';
import { machineListInput, scheduleInput } from './operator-call-schemas.ts';
import { messageType } from './protobuf/messages.ts';
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
  '/maintenance/schedule': maintenanceSchedule,
  '/maintenance/status': maintenanceStatus,
};

/** The maintenance calls of before the v1 API; each takes a POST. */
const MACHINE_ORDERS: Readonly<Record<string, (master: Master, request: HttpRequest) => string | undefined>> = {
  '/maintenance/schedule': (master, { body }) =>
    updateSchedule(master, scheduleInput.parse(readBody(messageType('maintenance.Schedule'), body))),
  '/machine/down': (master, request) => startMaintenance(master, machinesIn(request)),
  '/machine/up': (master, request) => stopMaintenance(master, machinesIn(request)),
};

function machinesIn({ body }: HttpRequest): MachineId[] {
  return machineListInput.parse(readList(messageType('MachineID'), body));
}

const CALLS = ['/api/v1', '/api/v1/scheduler', '/health'];

/** Whether a route also answers what is below it; `/version` and `/redirect` do not. */
function answersBelow(path: string): boolean {
  return (
    path !== '/version' && (CALLS.includes(path) || VIEWS[path] !== undefined || MACHINE_ORDERS[path] !== undefined)
  );
}

/** @param jsonAliases also answers to the names of before Mesos 0.25: `/state.json` */
export function masterHandler(master: Master, jsonAliases: boolean): Handler {
  return (request, response) => {
    const plain = request.path.replace(/^\/master(?=\/)/, '');
    const asked = jsonAliases ? plain.replace(/\.json$/, '') : plain;
    const path = nearestRoute(asked, answersBelow) ?? asked;
    const order = MACHINE_ORDERS[path];
    const view = VIEWS[path];
    if (order !== undefined && (view === undefined || request.method !== 'GET')) {
      requireMethod(request, view === undefined ? ['POST'] : ['GET', 'POST']);
      return obey(order(master, request), response);
    }
    if (path === '/maintenance/status') requireMethod(request, ['GET']);
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
