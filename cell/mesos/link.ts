/**
 * What a master and an agent say to each other. In Mesos these are messages between machines; here they are calls
 * within one process, one way each, with nothing awaited, so that a real wire could take their place.
 */
import type { Attribute, FrameworkInfo, TaskInfo, TaskState, TaskStatus } from '../../activities/mesos/types.ts';
import type { DrainInfo } from './agent-registry.ts';
import type { Amounts } from './resources.ts';

/** A task as its agent knows it. */
export interface AgentTask {
  readonly frameworkId: string;
  readonly frameworkInfo: FrameworkInfo;
  readonly task: TaskInfo;
  /** The newest, told or not. */
  readonly state: TaskState;
  /** Those the framework was told, oldest first. */
  readonly statuses: readonly TaskStatus[];
  /** Ended, and its end acknowledged. */
  readonly completed: boolean;
}

export interface KillOrder {
  /** Undefined: as the task's own kill policy says. */
  readonly graceMs?: number | undefined;
  /** A Mesos reason for the updates that follow. */
  readonly reason?: string | undefined;
  /** What it ends as; undefined: TASK_KILLED. */
  readonly state?: 'TASK_GONE_BY_OPERATOR' | undefined;
}

/** An agent, as its master sees it. */
export interface AgentLink {
  readonly id: string;
  readonly hostname: string;
  readonly ip: string;
  readonly port: number;
  readonly attributes: readonly Attribute[];
  readonly total: Amounts;
  /** Every task it keeps a record of; asked once, when it registers. */
  tasks(): AgentTask[];
  launch(frameworkId: string, frameworkInfo: FrameworkInfo, task: TaskInfo): void;
  kill(frameworkId: string, taskId: string, order: KillOrder): void;
  acknowledge(frameworkId: string, taskId: string, uuid: string): void;
  /** The framework has a new connection: whatever it has not acknowledged is sent again now. */
  resend(frameworkId: string): void;
  /** The framework is gone: its tasks are killed and nobody is told. */
  shutdownFramework(frameworkId: string): void;
  /** Every task is killed, with no more grace than granted. */
  drain(drain: DrainInfo): void;
  /** It may not be an agent any more: it ends its tasks, tells nobody, and then itself. */
  shutdown(why: string): void;
}

/** A master, as its agents see it. */
export interface AgentReports {
  /** An update on its way to the framework, and the newest state there is. */
  statusUpdate(agentId: string, frameworkId: string, status: TaskStatus, latest: TaskState): void;
}
