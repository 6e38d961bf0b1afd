/** ACCEPT and DECLINE: what becomes of offers that a framework answers. */
import type { TaskInfo, TaskState, TaskStatus } from '../../activities/mesos/types.ts';
import type { SchedulerCall } from './call-schemas.ts';
import type { Framework } from './framework.ts';
import type { Master } from './master.ts';
import type { OutstandingOffer } from './offer-book.ts';
import { type Amounts, add, amountsOf, NOTHING, resourcesOf, subtract } from './resources.ts';
import { launchComplaint } from './task-validation.ts';

/** Mesos' default of `Filters.refuse_seconds`, and the most it grants. */
const DEFAULT_REFUSE_SECONDS = 5;
const MAX_REFUSE_SECONDS = 365 * 24 * 3600;

type Accept = NonNullable<SchedulerCall['accept']>;
type Decline = NonNullable<SchedulerCall['decline']>;
type Filters = Accept['filters'];

/** Starts the good tasks; tells of each other one why not; gives back what is left. */
export function acceptOffers(master: Master, framework: Framework, { offer_ids, operations, filters }: Accept): void {
  const tasks = operations.flatMap(({ launch }) => launch?.task_infos ?? []);
  const groups = operations.flatMap(({ launch_group }) => launch_group?.task_group.tasks ?? []);
  const found = findOffers(
    master,
    framework,
    offer_ids.map(({ value }) => value),
  );
  if (typeof found === 'string') {
    for (const { value } of offer_ids) {
      const offer = master.offers.get(value);
      if (offer?.frameworkId === framework.id) master.offers.take(value);
    }
    const message = `Task launched with invalid offers: ${found}`;
    for (const task of [...tasks, ...groups]) {
      refuse(framework, task, framework.wordFor('TASK_DROPPED'), 'REASON_INVALID_OFFERS', message);
    }
    return;
  }
  const [first] = found;
  if (first === undefined) return;
  const { agentId, role } = first;
  let available: Amounts = found.reduce((sum, { amounts }) => add(sum, amounts), NOTHING);
  const taken = new Set(framework.tasks.keys());
  const good: TaskInfo[] = [];
  for (const task of tasks) {
    const complaint = launchComplaint(task, { agentId, role, available, isTaken: (id) => taken.has(id) });
    if (complaint !== undefined) {
      refuse(framework, task, 'TASK_ERROR', 'REASON_TASK_INVALID', complaint);
      continue;
    }
    const needed = amountsOf(task.resources);
    taken.add(task.task_id.value);
    available = subtract(available, needed);
    good.push({ ...task, resources: resourcesOf(needed, { format: 'role', allocatedTo: role }) });
  }
  for (const task of groups) {
    refuse(framework, task, 'TASK_ERROR', 'REASON_TASK_GROUP_INVALID', 'Task groups are not supported by this cell');
  }
  for (const offer of found) master.offers.take(offer.id);
  master.refuse(first, available, refuseSeconds(filters));
  for (const task of good) master.launch(framework, agentId, task);
}

/** Gives offers back; those that are no longer valid need no answer. */
export function declineOffers(master: Master, framework: Framework, { offer_ids, filters }: Decline): void {
  for (const { value } of offer_ids) {
    const offer = master.offers.get(value);
    if (offer?.frameworkId === framework.id) master.refuse(offer, offer.amounts, refuseSeconds(filters));
  }
}

/** Notes what a framework says to being asked to leave; answers to what nobody asks any more are passed over. */
export function answerInverseOffers(
  master: Master,
  framework: Framework,
  status: 'ACCEPT' | 'DECLINE',
  answer: SchedulerCall['accept_inverse_offers'],
): void {
  for (const { value } of answer?.inverse_offer_ids ?? []) {
    master.inverseOffers.answer(framework.id, value, status, refuseSeconds(answer?.filters));
  }
}

/** The offers, or why they can't be used together. */
function findOffers(master: Master, framework: Framework, ids: readonly string[]): OutstandingOffer[] | string {
  const offers: OutstandingOffer[] = [];
  for (const id of ids) {
    const offer = master.offers.get(id);
    if (offer === undefined) return `Offer ${id} is no longer valid`;
    if (offer.frameworkId !== framework.id) {
      return `Offer ${id} has invalid framework ${offer.frameworkId} while framework ${framework.id} is expected`;
    }
    if (offers.some((other) => other.id === id)) return `Duplicate offer ${id} in offer list`;
    const [first = offer] = offers;
    if (offer.agentId !== first.agentId) {
      return `Aggregated offers must belong to one single agent. Offer ${id} uses agent ${offer.agentId} and agent ${first.agentId}`;
    }
    offers.push(offer);
  }
  return offers.length === 0 && ids.length === 0 ? 'No offers specified' : offers;
}

function refuseSeconds(filters: Filters): number {
  const seconds = filters?.refuse_seconds ?? DEFAULT_REFUSE_SECONDS;
  // A negative or absurd value is replaced by the default, as Mesos does.
  return seconds < 0 ? DEFAULT_REFUSE_SECONDS : Math.min(seconds, MAX_REFUSE_SECONDS);
}

function refuse(framework: Framework, task: TaskInfo, state: TaskState, reason: string, message: string): void {
  const status: TaskStatus = {
    task_id: task.task_id,
    state,
    message,
    source: 'SOURCE_MASTER',
    reason,
    agent_id: task.agent_id,
    timestamp: Date.now() / 1000,
  };
  framework.tell({ type: 'UPDATE', update: { status } });
}
