/** `POST /api/v1`: what an operator may ask and order of the master. */
import type { ServerResponse } from 'node:http';
import { deactivateAgent, drainAgent, markAgentGone, reactivateAgent } from './agent-draining.ts';
import type { OrderRefused } from './agent-orders.ts';
import { requireAcceptable, requirePost } from './api-preamble.ts';
import { parseCall } from './call-schemas.ts';
import { type MediaType, readCall, writeMessage } from './encoding.ts';
import { EventStream } from './event-stream.ts';
import { removeFramework } from './framework-life.ts';
import { type HttpRequest, Refusal, sendBody, sendEmpty } from './http-server.ts';
import { startMaintenance, stopMaintenance, updateSchedule } from './maintenance-orders.ts';
import type { Master } from './master.ts';
import { type OperatorCall, operatorCallSchema } from './operator-call-schemas.ts';
import { getState, OPERATOR_READS } from './operator-views.ts';
import { OPERATOR_CALL, OPERATOR_EVENT, OPERATOR_RESPONSE } from './protobuf/messages.ts';

/** Mesos' `--max_operator_event_stream_subscribers`. */
const MAX_SUBSCRIBERS = 1000;

type Order = (master: Master, call: OperatorCall) => OrderRefused | string | undefined;

/** The calls that change something; the answer is why not, in Mesos' words: a string goes with a 400. */
const ORDERS: Readonly<Record<string, Order>> = {
  TEARDOWN: teardown,
  DRAIN_AGENT: drain,
  DEACTIVATE_AGENT: (master, call) => deactivateAgent(master, call.deactivate_agent?.agent_id.value ?? ''),
  REACTIVATE_AGENT: (master, call) => reactivateAgent(master, call.reactivate_agent?.agent_id.value ?? ''),
  MARK_AGENT_GONE: (master, call) => markAgentGone(master, call.mark_agent_gone?.agent_id.value ?? ''),
  UPDATE_MAINTENANCE_SCHEDULE: (master, call) =>
    updateSchedule(master, call.update_maintenance_schedule?.schedule ?? { windows: [] }),
  START_MAINTENANCE: (master, call) => startMaintenance(master, call.start_maintenance?.machines ?? []),
  STOP_MAINTENANCE: (master, call) => stopMaintenance(master, call.stop_maintenance?.machines ?? []),
};

/** Calls of Mesos 1.11 that this cell does not do, and why. */
const NOT_DONE: Readonly<Record<string, string>> = {
  SET_LOGGING_LEVEL: 'its log has one level',
  UPDATE_WEIGHTS: 'every role weighs the same',
  ...Object.fromEntries(
    ['RESERVE_RESOURCES', 'UNRESERVE_RESOURCES'].map((type) => [type, 'reservations are set when it starts']),
  ),
  ...Object.fromEntries(
    ['CREATE_VOLUMES', 'DESTROY_VOLUMES', 'GROW_VOLUME', 'SHRINK_VOLUME'].map((type) => [
      type,
      'it has no persistent volumes',
    ]),
  ),
  ...Object.fromEntries(['SET_QUOTA', 'REMOVE_QUOTA', 'UPDATE_QUOTA'].map((type) => [type, 'it has no quota'])),
};

/** Calls that only read or take no part of their own. */
const WITHOUT_PART: ReadonlySet<string> = new Set(
  ['UNKNOWN', 'SUBSCRIBE', ...Object.keys(OPERATOR_READS)].filter((type) => type !== 'GET_METRICS'),
);

export function handleOperatorCall(master: Master, request: HttpRequest, response: ServerResponse): void {
  const mediaType = requirePost(request);
  const call = parseCall(operatorCallSchema, readCall(OPERATOR_CALL, request.body, mediaType));
  const type = validType(call);
  const accepted = requireAcceptable(request);
  const read = OPERATOR_READS[type];
  if (read !== undefined) {
    const answer = read(master);
    const message = answer === undefined ? { type } : { type, [type.toLowerCase()]: answer };
    sendBody(response, 200, accepted, writeMessage(OPERATOR_RESPONSE, message, accepted));
    return;
  }
  const order = ORDERS[type];
  if (order !== undefined) {
    obey(order(master, call), response);
    return;
  }
  switch (type) {
    case 'SUBSCRIBE':
      subscribe(master, accepted, response);
      return;
    case 'LIST_FILES':
    case 'READ_FILE':
      // The master has no files of its own to show.
      throw new Refusal(404, '');
    default: {
      const why = NOT_DONE[type];
      throw new Refusal(501, why === undefined ? '501 Not Implemented.' : `${type} is not done by this cell: ${why}`);
    }
  }
}

/** Answers that an order was carried out, or throws why not. */
export function obey(refused: OrderRefused | string | undefined, response: ServerResponse): void {
  if (typeof refused === 'string') throw new Refusal(400, refused);
  if (refused !== undefined) throw new Refusal(refused.status, refused.text);
  sendEmpty(response, 200);
}

/** The type of a call that has all it needs. */
function validType(call: OperatorCall): string {
  const { type = '' } = call;
  const needsPart = Object.hasOwn(ORDERS, type) || Object.hasOwn(NOT_DONE, type) || NEED_PART.has(type);
  if (!needsPart && !WITHOUT_PART.has(type)) throw invalid("Expecting 'type' to be present");
  const part = type.toLowerCase();
  if (needsPart && call[part] === undefined) throw invalid(`Expecting '${part}' to be present`);
  return type;
}

const NEED_PART: ReadonlySet<string> = new Set(['GET_METRICS', 'LIST_FILES', 'READ_FILE']);

function invalid(what: string): Refusal {
  return new Refusal(400, `Failed to validate master::Call: ${what}`);
}

function teardown(master: Master, call: OperatorCall): string | undefined {
  const framework = master.frameworks.get(call.teardown?.framework_id.value ?? '');
  if (framework === undefined) return 'No framework found with specified ID';
  removeFramework(master, framework);
  return undefined;
}

function drain(master: Master, call: OperatorCall): OrderRefused | undefined {
  const { agent_id, max_grace_period: max, mark_gone = false } = call.drain_agent ?? { agent_id: { value: '' } };
  return drainAgent(master, agent_id.value, {
    ...(max && { max_grace_period: { nanoseconds: (max.seconds ?? 0) * 1e9 + (max.nanos ?? 0) } }),
    mark_gone,
  });
}

function subscribe(master: Master, mediaType: MediaType, response: ServerResponse): void {
  const { heartbeatMs, streamCutSeed: cutSeed } = master.options;
  const options = { events: OPERATOR_EVENT, mediaType, heartbeatMs, cutSeed };
  const stream = new EventStream(response, options, () => master.subscribers.delete(stream));
  stream.start({});
  stream.welcome({
    type: 'SUBSCRIBED',
    subscribed: { get_state: getState(master), heartbeat_interval_seconds: heartbeatMs / 1000 },
  });
  master.subscribers.add(stream);
  const [oldest] = master.subscribers;
  if (master.subscribers.size > MAX_SUBSCRIBERS && oldest !== undefined) {
    master.subscribers.delete(oldest);
    oldest.end();
  }
}
