/** `POST /api/v1`: what an operator may ask of the master. */
import type { ServerResponse } from 'node:http';
import type { Offer } from '../../activities/mesos/types.ts';
import { type AgentEntry, tasksOn } from './agent-entry.ts';
import { requireAcceptable, requirePost } from './api-preamble.ts';
import { type OperatorCall, operatorCallSchema, parseCall } from './call-schemas.ts';
import { type MediaType, readCall, writeMessage } from './encoding.ts';
import { EventStream } from './event-stream.ts';
import type { Framework, MasterTask } from './framework.ts';
import { type HttpRequest, Refusal, sendBody, sendEmpty } from './http-server.ts';
import type { Master } from './master.ts';
import { flags, metrics } from './master-figures.ts';
import { operatorAgent, operatorFramework } from './operator-events.ts';
import { OPERATOR_CALL, OPERATOR_EVENT, OPERATOR_RESPONSE } from './protobuf/messages.ts';
import { amountsOf, resourcesOf } from './resources.ts';
import { operatorTask, usedResources } from './task-views.ts';
import { VERSION } from './version.ts';

/** Mesos' `--max_operator_event_stream_subscribers`. */
const MAX_SUBSCRIBERS = 1000;

/** Every call of Mesos 1.11 that this cell does not do: known, and refused as not implemented. */
const NOT_IMPLEMENTED: ReadonlySet<string> = new Set([
  'UNKNOWN',
  'SET_LOGGING_LEVEL',
  'UPDATE_WEIGHTS',
  'RESERVE_RESOURCES',
  'UNRESERVE_RESOURCES',
  'CREATE_VOLUMES',
  'DESTROY_VOLUMES',
  'GROW_VOLUME',
  'SHRINK_VOLUME',
  'UPDATE_MAINTENANCE_SCHEDULE',
  'START_MAINTENANCE',
  'STOP_MAINTENANCE',
  'DRAIN_AGENT',
  'DEACTIVATE_AGENT',
  'REACTIVATE_AGENT',
  'SET_QUOTA',
  'REMOVE_QUOTA',
  'UPDATE_QUOTA',
  'MARK_AGENT_GONE',
]);

/** The answers that only read, by type. */
const READS: Readonly<Record<string, (master: Master) => unknown>> = {
  GET_HEALTH: () => ({ healthy: true }),
  GET_VERSION: () => ({ version_info: VERSION }),
  GET_FLAGS: (master) => ({ flags: Object.entries(flags(master)).map(([name, value]) => ({ name, value })) }),
  GET_METRICS: (master) => ({ metrics: Object.entries(metrics(master)).map(([name, value]) => ({ name, value })) }),
  GET_LOGGING_LEVEL: () => ({ level: 0 }),
  GET_MASTER: (master) => ({
    master_info: master.info(),
    start_time: master.startTime,
    elected_time: master.startTime,
  }),
  GET_AGENTS: getAgents,
  GET_FRAMEWORKS: getFrameworks,
  GET_TASKS: getTasks,
  GET_EXECUTORS: () => ({ executors: [] }),
  GET_OPERATIONS: () => ({}),
  GET_STATE: getState,
  GET_ROLES: getRoles,
  GET_WEIGHTS: () => undefined,
  GET_QUOTA: () => ({ status: {} }),
  GET_MAINTENANCE_STATUS: () => ({ status: {} }),
  GET_MAINTENANCE_SCHEDULE: () => ({ schedule: {} }),
};

export function handleOperatorCall(master: Master, request: HttpRequest, response: ServerResponse): void {
  const mediaType = requirePost(request);
  const call = parseCall(operatorCallSchema, readCall(OPERATOR_CALL, request.body, mediaType));
  const type = call.type ?? '';
  const read = READS[type];
  const known = read !== undefined || NOT_IMPLEMENTED.has(type) || OTHERS.has(type);
  if (!known) throw invalid("Expecting 'type' to be present");
  const part = type.toLowerCase();
  if (NEEDS_PART.has(type) && call[part] === undefined) throw invalid(`Expecting '${part}' to be present`);
  const accepted = requireAcceptable(request);
  if (read !== undefined) {
    const answer = read(master);
    const message = answer === undefined ? { type } : { type, [type.toLowerCase()]: answer };
    sendBody(response, 200, accepted, writeMessage(OPERATOR_RESPONSE, message, accepted));
    return;
  }
  switch (type) {
    case 'SUBSCRIBE':
      subscribe(master, accepted, response);
      return;
    case 'TEARDOWN':
      teardown(master, call);
      sendEmpty(response, 200);
      return;
    case 'LIST_FILES':
    case 'READ_FILE':
      // The master has no files of its own to show.
      throw new Refusal(404, '');
    default:
      throw new Refusal(501, '501 Not Implemented.');
  }
}

/** Calls whose own part of the message must be there; it is named as the call. */
const NEEDS_PART: ReadonlySet<string> = new Set(['GET_METRICS', 'LIST_FILES', 'READ_FILE', 'TEARDOWN']);

const OTHERS: ReadonlySet<string> = new Set(['SUBSCRIBE', 'TEARDOWN', 'LIST_FILES', 'READ_FILE']);

function invalid(what: string): Refusal {
  return new Refusal(400, `Failed to validate master::Call: ${what}`);
}

function teardown(master: Master, call: OperatorCall): void {
  const framework = master.frameworks.get(call.teardown?.framework_id.value ?? '');
  if (framework === undefined) throw new Refusal(400, 'No framework found with specified ID');
  master.remove(framework);
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

function getState(master: Master): unknown {
  return {
    get_tasks: getTasks(master),
    get_executors: { executors: [] },
    get_frameworks: getFrameworks(master),
    get_agents: getAgents(master),
  };
}

function getTasks({ frameworks, completedFrameworks }: Master): unknown {
  const all = [...frameworks.values(), ...completedFrameworks.values()];
  const show = (tasks: (framework: Framework) => Iterable<MasterTask>) =>
    all.flatMap((framework) => [...tasks(framework)].map(operatorTask));
  return {
    tasks: show(({ tasks }) => tasks.values()),
    unreachable_tasks: show(({ unreachable }) => unreachable.values()),
    completed_tasks: show(({ completed }) => completed),
  };
}

function getFrameworks(master: Master): unknown {
  const { frameworks, completedFrameworks, offers } = master;
  return {
    frameworks: [...frameworks.values()].map((framework) => {
      const used = usedResources(framework.tasks.values());
      const out = offers.list({ frameworkId: framework.id });
      return {
        ...operatorFramework(framework),
        ...(out.length === 0 ? {} : { offers: out.map(({ offer }) => storedOffer(offer)) }),
        ...(used.length === 0 ? {} : { allocated_resources: used }),
        ...(out.length === 0 ? {} : { offered_resources: out.flatMap(({ offer }) => offer.resources) }),
        offer_constraints: {},
      };
    }),
    completed_frameworks: [...completedFrameworks.values()].map(operatorFramework),
  };
}

/** As the master keeps it: the role of a reservation is put into resources only for those who are offered them. */
function storedOffer(offer: Offer): unknown {
  return { ...offer, resources: offer.resources.map(({ role: _, ...resource }) => resource) };
}

function getAgents(master: Master): unknown {
  const show = (entry: AgentEntry) => {
    const offered = master.offers.list({ agentId: entry.link.id });
    const used = usedResources(tasksOn(master.frameworks.values(), entry.link.id));
    return {
      ...operatorAgent(entry),
      ...(used.length === 0 ? {} : { allocated_resources: used }),
      ...(offered.length === 0 ? {} : { offered_resources: offered.flatMap(({ offer }) => offer.resources) }),
    };
  };
  const registered = [...master.agents.values()].filter(({ unreachable }) => !unreachable);
  return { agents: registered.map(show), recovered_agents: [] };
}

function getRoles({ frameworks, offers }: Master): unknown {
  const all = [...frameworks.values()];
  const names = [...new Set(all.flatMap(({ roles }) => roles))].sort();
  return {
    roles: names.map((name) => ({
      name,
      weight: 1,
      frameworks: all.filter(({ roles }) => roles.includes(name)).map(({ id }) => ({ value: id })),
      resources: rolesResources(
        all.filter(({ roles }) => roles.includes(name)),
        offers,
      ),
    })),
  };
}

/** Scalars that a role's frameworks use or have on offer. */
function rolesResources(frameworks: readonly Framework[], offers: Master['offers']): unknown[] | undefined {
  const all = frameworks.flatMap((framework) => [
    ...usedResources(framework.tasks.values()),
    ...offers.list({ frameworkId: framework.id }).flatMap(({ offer }) => offer.resources),
  ]);
  const { scalars } = amountsOf(all);
  return scalars.size === 0 ? undefined : resourcesOf({ scalars, ranges: new Map() });
}
