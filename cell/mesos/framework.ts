/** A framework as the master knows it: who it is, whether it is connected, and its tasks. */
import { z } from 'zod';
import type { FrameworkCapability, FrameworkInfo, SchedulerEvent, TaskState } from '../../activities/mesos/types.ts';
import { frameworkInfoInput } from './call-schemas.ts';
import type { EventStream } from './event-stream.ts';
import type { ViewedTask } from './task-views.ts';

/** Mesos' `--max_completed_tasks_per_framework`. */
const MAX_COMPLETED_TASKS = 1000;
/** Mesos' `--max_unreachable_tasks_per_framework`. */
const MAX_UNREACHABLE_TASKS = 1000;

/** What the master keeps of a framework through its own death. Times in ms since the epoch. */
export const frameworkRecordSchema = z.object({
  id: z.string(),
  info: frameworkInfoInput,
  registeredAt: z.number(),
  reregisteredAt: z.number(),
  /** Since when it is not connected; undefined while it is. */
  disconnectedAt: z.number().optional(),
  /** When it was removed for ever. */
  removedAt: z.number().optional(),
});
export type FrameworkRecord = z.infer<typeof frameworkRecordSchema>;

/** A task as the master knows it. */
export type MasterTask = { -readonly [K in keyof ViewedTask]: ViewedTask[K] };

export class Framework {
  record: FrameworkRecord;
  stream: EventStream | undefined;
  /** Known from an earlier run of the master and not yet subscribed to this one. */
  recovered = false;
  /** Roles that want no offers. */
  readonly suppressed: Set<string> = new Set();
  readonly tasks: Map<string, MasterTask> = new Map();
  /** On agents that do not answer, or that are gone while it does not know of partitions; the one lost first is first. */
  readonly unreachable: Map<string, MasterTask> = new Map();
  /** Oldest first. */
  readonly completed: MasterTask[] = [];
  failoverTimer: NodeJS.Timeout | undefined;

  constructor(record: FrameworkRecord) {
    this.record = record;
  }

  get id(): string {
    return this.record.id;
  }

  get info(): FrameworkInfo {
    return this.record.info;
  }

  get connected(): boolean {
    return this.stream !== undefined;
  }

  get roles(): readonly string[] {
    return rolesOf(this.info);
  }

  has(capability: FrameworkCapability): boolean {
    return hasCapability(this.info, capability);
  }

  /** Sends an event, if it is connected. */
  tell(event: SchedulerEvent): void {
    this.stream?.send(event);
  }

  /** The state it is told instead, if it does not know of partitions. */
  wordFor(state: TaskState): TaskState {
    if (this.has('PARTITION_AWARE')) return state;
    switch (state) {
      case 'TASK_DROPPED':
      case 'TASK_UNREACHABLE':
      case 'TASK_GONE':
      case 'TASK_GONE_BY_OPERATOR':
      case 'TASK_UNKNOWN':
        return 'TASK_LOST';
      default:
        return state;
    }
  }

  /** Remembers an ended task. Its id may run again on another agent by now: that task stays. */
  complete(task: MasterTask): void {
    const id = task.task.task_id.value;
    if (this.tasks.get(id)?.agentId === task.agentId) this.tasks.delete(id);
    this.completed.push(task);
    if (this.completed.length > MAX_COMPLETED_TASKS) this.completed.shift();
  }

  /** Remembers a task whose agent is lost. */
  lose(task: MasterTask): void {
    const id = task.task.task_id.value;
    this.tasks.delete(id);
    this.unreachable.delete(id);
    this.unreachable.set(id, task);
    const [first] = this.unreachable.keys();
    if (first !== undefined && this.unreachable.size > MAX_UNREACHABLE_TASKS) this.unreachable.delete(first);
  }
}

function hasCapability(info: FrameworkInfo, capability: FrameworkCapability): boolean {
  return info.capabilities?.some(({ type }) => type === capability) ?? false;
}

function rolesOf(info: FrameworkInfo): readonly string[] {
  return hasCapability(info, 'MULTI_ROLE') ? (info.roles ?? []) : [info.role ?? '*'];
}

/** Mesos counts durations in 64-bit nanoseconds. */
const MAX_DURATION_SECONDS = 9_223_372_036;

/** What is wrong with a FrameworkInfo, in Mesos' words; undefined when nothing is. */
export function frameworkInfoComplaint(info: FrameworkInfo): string | undefined {
  const multiRole = hasCapability(info, 'MULTI_ROLE');
  if (multiRole && info.role !== undefined) {
    return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable";
  }
  if (!multiRole && info.roles !== undefined && info.roles.length > 0) {
    return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable";
  }
  const roles = rolesOf(info);
  const wrongRole = roles.find((role) => roleComplaint(role) !== undefined);
  if (wrongRole !== undefined) return roleComplaint(wrongRole);
  if (new Set(roles).size < roles.length) return `'FrameworkInfo.roles' contains duplicate items: ${roles.join(', ')}`;
  if (info.id !== undefined && idComplaint(info.id.value) !== undefined) return idComplaint(info.id.value);
  const timeout = info.failover_timeout ?? 0;
  if (Math.abs(timeout) > MAX_DURATION_SECONDS)
    return `The framework failover_timeout (${doubleText(timeout)}) is invalid`;
  return undefined;
}

/** What is wrong with an id, which Mesos uses as the name of a directory. */
export function idComplaint(id: string): string | undefined {
  if (id === '') return 'ID must not be empty';
  if (Buffer.byteLength(id) > 255) return `'${id}' is longer than 255 characters`;
  if (id === '.' || id === '..') return `'${id}' is disallowed`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return /[\x00-\x1f\x7f/\\]/.test(id) ? `'${id}' contains invalid characters` : undefined;
}

/** What is wrong with the name of a role; see Mesos' `roles::validate`. */
export function roleComplaint(role: string): string | undefined {
  if (role === '*') return undefined;
  if (role === '') return 'Empty role name is invalid';
  if (role.startsWith('/') || role.endsWith('/')) return `Role '${role}' cannot start or end with a slash`;
  if (/[\s\u007f\b]/.test(role)) return `Role '${role}' contains invalid characters`;
  const part = role
    .split('/')
    .find((word) => word === '' || word === '.' || word === '..' || word === '*' || word.startsWith('-'));
  return part === undefined ? undefined : `Role '${role}' is invalid because of its part '${part}'`;
}

/** As C++ prints a double: six digits, exponent when large. */
function doubleText(value: number): string {
  return Math.abs(value) < 1e6 ? String(value) : value.toExponential().replace(/e\+?(-?)(\d)$/, 'e+$10$2');
}
