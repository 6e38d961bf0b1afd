/** `POST /api/v1/scheduler`: the checks in the order of the real master, then the call. */
import type { ServerResponse } from 'node:http';
import { acceptOffers, answerInverseOffers, declineOffers } from './accepting.ts';
import { acknowledge } from './agent-draining.ts';
import type { Standing } from './agent-orders.ts';
import { requireAcceptable, requirePost } from './api-preamble.ts';
import { parseCall, type SchedulerCall, schedulerCallSchema } from './call-schemas.ts';
import { type MediaType, readCall } from './encoding.ts';
import { EventStream } from './event-stream.ts';
import { type Framework, frameworkInfoComplaint } from './framework.ts';
import { disconnected, removeFramework, subscribe as subscribeFramework, updateInfo } from './framework-life.ts';
import { type HttpRequest, Refusal, sendEmpty } from './http-server.ts';
import type { Master } from './master.ts';
import { reconcileOperation } from './operation-reconciliation.ts';
import { SCHEDULER_CALL, SCHEDULER_EVENT } from './protobuf/messages.ts';
import { reconcile } from './reconciliation.ts';
import { isUuid } from './uuid.ts';

/** Calls whose own part of the message must be there, and its name. */
const PARTS: Readonly<Record<string, keyof SchedulerCall | undefined>> = {
  UNKNOWN: undefined,
  TEARDOWN: undefined,
  ACCEPT: 'accept',
  DECLINE: 'decline',
  ACCEPT_INVERSE_OFFERS: 'accept_inverse_offers',
  DECLINE_INVERSE_OFFERS: 'decline_inverse_offers',
  REVIVE: undefined,
  SUPPRESS: undefined,
  KILL: 'kill',
  SHUTDOWN: 'shutdown',
  ACKNOWLEDGE: 'acknowledge',
  ACKNOWLEDGE_OPERATION_STATUS: 'acknowledge_operation_status',
  RECONCILE: 'reconcile',
  RECONCILE_OPERATIONS: 'reconcile_operations',
  MESSAGE: 'message',
  REQUEST: 'request',
  UPDATE_FRAMEWORK: 'update_framework',
};

export function handleSchedulerCall(master: Master, request: HttpRequest, response: ServerResponse): void {
  const mediaType = requirePost(request);
  const call = parseCall(schedulerCallSchema, readCall(SCHEDULER_CALL, request.body, mediaType));
  validate(call);
  const streamId = request.headers['mesos-stream-id'];
  if (call.type === 'SUBSCRIBE') {
    // Only here: other calls are answered without a body, whatever their Accept says.
    const accepted = requireAcceptable(request);
    if (streamId !== undefined) {
      throw new Refusal(400, "Subscribe calls should not include the 'Mesos-Stream-Id' header");
    }
    subscribe(master, call, accepted, response);
    return;
  }
  // Once it was to be answered with a message, and is still checked so.
  if (call.type === 'RECONCILE_OPERATIONS') requireAcceptable(request);
  const framework = authenticate(master, call, streamId);
  // This one ends a real master of 1.11, which counts the calls of a framework by their types and knows of no such.
  if (call.type === 'UNKNOWN') throw new Refusal(501, '501 Not Implemented.');
  if (call.type === 'UPDATE_FRAMEWORK') {
    updateFramework(master, framework, call);
    sendEmpty(response, 200);
    return;
  }
  // 202 whatever becomes of it: the events tell.
  sendEmpty(response, 202);
  perform(master, framework, call);
}

function validate(call: SchedulerCall): void {
  const { type } = call;
  const fail = (what: string) => new Refusal(400, `Failed to validate scheduler::Call: ${what}`);
  if (type === 'SUBSCRIBE') {
    if (call.subscribe === undefined) throw fail("Expecting 'subscribe' to be present");
    const inner = call.subscribe.framework_info.id?.value ?? '';
    if ((call.framework_id?.value ?? '') !== inner && (call.framework_id !== undefined || inner !== '')) {
      throw fail("'framework_id' differs from 'subscribe.framework_info.id'");
    }
    return;
  }
  if (type === undefined || !Object.hasOwn(PARTS, type)) throw fail("Expecting 'type' to be present");
  if (call.framework_id === undefined) throw fail("Expecting 'framework_id' to be present");
  const part = PARTS[type];
  if (part !== undefined && call[part] === undefined) throw fail(`Expecting '${part}' to be present`);
  if (type === 'UPDATE_FRAMEWORK') {
    const inner = call.update_framework?.framework_info.id?.value ?? '';
    if (call.framework_id.value !== inner) {
      throw fail("'framework_id' differs from 'update_framework.framework_info.id'");
    }
  }
  if (type === 'ACKNOWLEDGE' && !isUuid(call.acknowledge?.uuid ?? '')) throw fail('Not a valid UUID');
  if (type === 'ACKNOWLEDGE_OPERATION_STATUS') {
    if (!isUuid(call.acknowledge_operation_status?.uuid ?? '')) throw fail('Not a valid UUID');
    if (call.acknowledge_operation_status?.agent_id === undefined) throw fail("Expecting 'agent_id' to be present");
  }
}

function subscribe(master: Master, call: SchedulerCall, mediaType: MediaType, response: ServerResponse): void {
  const info = call.subscribe?.framework_info;
  if (info === undefined) return;
  let framework: Framework | string | undefined;
  const { heartbeatMs, streamCutSeed: cutSeed } = master.options;
  const stream = new EventStream(response, { events: SCHEDULER_EVENT, mediaType, heartbeatMs, cutSeed }, () => {
    if (framework !== undefined && typeof framework !== 'string') disconnected(master, framework, stream);
  });
  stream.start({ 'Mesos-Stream-Id': stream.id });
  framework =
    frameworkInfoComplaint(info) ?? subscribeFramework(master, info, call.subscribe?.suppressed_roles ?? [], stream);
  if (typeof framework === 'string') {
    stream.send({ type: 'ERROR', error: { message: framework } });
    stream.end();
  }
}

function authenticate(master: Master, call: SchedulerCall, streamId: string | string[] | undefined): Framework {
  const id = call.framework_id?.value ?? '';
  const framework = master.frameworks.get(id);
  if (framework === undefined) throw new Refusal(400, 'Framework cannot be found');
  if (framework.stream === undefined) throw new Refusal(403, 'Framework is not subscribed');
  if (streamId === undefined) {
    throw new Refusal(400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header");
  }
  if (streamId !== framework.stream.id) {
    throw new Refusal(
      400,
      `The stream ID '${String(streamId)}' included in this request didn't match the stream ID currently associated with framework ID ${id}`,
    );
  }
  return framework;
}

function updateFramework(master: Master, framework: Framework, call: SchedulerCall): void {
  const info = call.update_framework?.framework_info;
  if (info === undefined) return;
  const fixed = (['user', 'checkpoint', 'principal'] as const).flatMap((field) => {
    const [from, to] = [framework.info[field] ?? '', info[field] ?? ''];
    return from === to || (field === 'checkpoint' && Boolean(from) === Boolean(to))
      ? []
      : [`Updating 'FrameworkInfo.${field}' is unsupported; attempted to update from '${from}' to '${to}'`];
  });
  const complaint = fixed[0] ?? frameworkInfoComplaint(info);
  if (complaint !== undefined) throw new Refusal(400, `FrameworkInfo update is not valid: ${complaint}`);
  updateInfo(master, framework, info, call.update_framework?.suppressed_roles ?? []);
}

function perform(master: Master, framework: Framework, call: SchedulerCall): void {
  switch (call.type) {
    case 'ACCEPT':
      if (call.accept !== undefined) acceptOffers(master, framework, call.accept);
      return;
    case 'DECLINE':
      if (call.decline !== undefined) declineOffers(master, framework, call.decline);
      return;
    case 'ACCEPT_INVERSE_OFFERS':
      answerInverseOffers(master, framework, 'ACCEPT', call.accept_inverse_offers);
      return;
    case 'DECLINE_INVERSE_OFFERS':
      answerInverseOffers(master, framework, 'DECLINE', call.decline_inverse_offers);
      return;
    case 'ACKNOWLEDGE':
      if (call.acknowledge !== undefined) {
        const { agent_id, task_id, uuid } = call.acknowledge;
        acknowledge(master, framework, { agentId: agent_id.value, taskId: task_id.value, uuid });
      }
      return;
    case 'KILL':
      kill(master, framework, call);
      return;
    case 'RECONCILE':
      reconcileTasks(master, framework, call);
      return;
    case 'RECONCILE_OPERATIONS':
      reconcileOperations(master, framework, call);
      return;
    case 'SHUTDOWN': {
      // Every task is alone in an executor of its own id.
      const task = framework.tasks.get(call.shutdown?.executor_id.value ?? '');
      if (task !== undefined && task.agentId === call.shutdown?.agent_id.value) master.kill(task, {});
      return;
    }
    case 'SUPPRESS':
      master.suppress(framework, rolesOf(call.suppress));
      return;
    case 'REVIVE':
      master.revive(framework, rolesOf(call.revive));
      return;
    case 'TEARDOWN':
      removeFramework(master, framework);
      return;
    default:
      // MESSAGE has no executor that would listen, no update of an operation wants to be acknowledged, and REQUEST has
      // no effect in Mesos either.
      return;
  }
}

function kill(master: Master, framework: Framework, call: SchedulerCall): void {
  if (call.kill === undefined) return;
  const { task_id, agent_id, kill_policy } = call.kill;
  const task = framework.tasks.get(task_id.value);
  if (task === undefined) {
    tellState(master, framework, { taskId: task_id.value, agentId: agent_id?.value });
    return;
  }
  if (agent_id !== undefined && agent_id.value !== task.agentId) return;
  const grace = kill_policy?.grace_period?.nanoseconds;
  master.kill(task, grace === undefined ? {} : { graceMs: Number(grace) / 1e6 });
}

function reconcileTasks(master: Master, framework: Framework, call: SchedulerCall): void {
  const asked = (call.reconcile?.tasks ?? []).map(({ task_id, agent_id }) => ({
    taskId: task_id.value,
    agentId: agent_id?.value,
  }));
  const all = [...framework.tasks.keys()].map((taskId) => ({ taskId, agentId: undefined }));
  for (const question of asked.length === 0 ? all : asked) tellState(master, framework, question);
}

function tellState(
  master: Master,
  framework: Framework,
  question: { readonly taskId: string; readonly agentId: string | undefined },
): void {
  const task = framework.tasks.get(question.taskId);
  const told = task?.statuses.findLast(({ uuid }) => uuid !== undefined);
  const status = reconcile(
    question,
    {
      task: task && { ...task, state: told?.state ?? task.state, last: task.statuses.at(-1) },
      agent: agentStanding(master, question.agentId),
      unreachableSince: master.registry.get(question.agentId ?? '')?.unreachableSince,
    },
    Date.now() / 1000,
  );
  if (status === undefined) return;
  framework.tell({ type: 'UPDATE', update: { status: { ...status, state: framework.wordFor(status.state) } } });
}

function reconcileOperations(master: Master, framework: Framework, call: SchedulerCall): void {
  for (const question of call.reconcile_operations?.operations ?? []) {
    const standing = question.agent_id && master.standing(question.agent_id.value);
    const status = reconcileOperation(question, standing);
    framework.tell({ type: 'UPDATE_OPERATION_STATUS', update_operation_status: { status } });
  }
}

/** While an agent may still come and tell, nobody can say that a task is on none. */
function agentStanding(master: Master, agentId: string | undefined): Standing {
  if (agentId !== undefined) return master.standing(agentId);
  return master.registry.list().some(({ id }) => master.standing(id) === 'recovered') ? 'recovered' : 'unknown';
}

function rolesOf(part: SchedulerCall['revive']): readonly string[] | undefined {
  const roles = part?.roles ?? (part?.role === undefined ? [] : [part.role]);
  return roles.length === 0 ? undefined : roles;
}
