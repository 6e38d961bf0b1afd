/** An agent's figures, under the names that Mesos gives them (`slave/metrics.cpp`). */
import type { TaskState } from '../../activities/mesos/types.ts';
import { type Amounts, amountsOf, together } from './resources.ts';
import type { TaskRecord } from './task-record.ts';

/** States that a task leaves again: how many are in them. */
const PRESENT = ['TASK_STAGING', 'TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING'] as const;
/** States that a task ends in: how many have. */
const ENDS = ['TASK_FINISHED', 'TASK_FAILED', 'TASK_KILLED', 'TASK_LOST', 'TASK_GONE'] as const;
/** What does not happen here. */
const NEVER = [
  'container_launch_errors',
  'executors_preempted',
  'executors_registering',
  'executors_terminating',
  'invalid_framework_messages',
  'invalid_status_updates',
  'recovery_errors',
  'valid_framework_messages',
] as const;

/** What the figures are counted from. */
export interface CountedAgent {
  readonly total: Amounts;
  /** Seconds since the epoch. */
  readonly startTime: number;
  /** A master knows it. */
  readonly registered: boolean;
  readonly records: readonly TaskRecord[];
  /** How tasks ended that it does not remember any more. */
  readonly forgotten: ReadonlyMap<TaskState, number>;
}

/** @param now in ms since the epoch */
export function agentFigures(agent: CountedAgent, now: number): Record<string, number> {
  const { records, forgotten } = agent;
  const live = records.filter(({ phase }) => phase !== 'ended');
  const total = together(agent.total).scalars;
  const used = together(amountsOf(live.flatMap(({ task }) => [...task.resources]))).scalars;
  const count = (state: TaskState, among: readonly TaskRecord[]) =>
    among.filter((record) => stateOf(record) === state).length;
  const figures: Record<string, number> = {
    'slave/uptime_secs': now / 1000 - agent.startTime,
    'slave/registered': agent.registered ? 1 : 0,
    'slave/frameworks_active': new Set(live.map(({ frameworkId }) => frameworkId)).size,
    'slave/executors_running': records.filter(({ phase }) => phase === 'running').length,
    'slave/executors_terminated':
      records.length - live.length + [...forgotten.values()].reduce((sum, more) => sum + more, 0),
  };
  for (const name of NEVER) figures[`slave/${name}`] = 0;
  for (const state of PRESENT) figures[nameOf(state)] = count(state, live);
  for (const state of ENDS) figures[nameOf(state)] = count(state, records) + (forgotten.get(state) ?? 0);
  for (const name of ['cpus', 'gpus', 'mem', 'disk']) {
    const [have, use] = [total.get(name) ?? 0, used.get(name) ?? 0];
    figures[`slave/${name}_total`] = have;
    figures[`slave/${name}_used`] = use;
    figures[`slave/${name}_percent`] = have === 0 ? 0 : use / have;
    for (const what of ['total', 'used', 'percent']) figures[`slave/${name}_revocable_${what}`] = 0;
  }
  return figures;
}

/** The state that a task is in, by what it has told. */
export function stateOf({ statuses }: Pick<TaskRecord, 'statuses'>): TaskState {
  return statuses.at(-1)?.state ?? 'TASK_STAGING';
}

function nameOf(state: TaskState): string {
  return `slave/tasks_${state.slice('TASK_'.length).toLowerCase()}`;
}
