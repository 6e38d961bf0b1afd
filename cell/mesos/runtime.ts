/** What an agent needs from whatever runs its tasks: the Docker engine, or plain processes. */
import type { CommandInfo, TaskInfo } from '../../activities/mesos/types.ts';

/** One task to be run, and everything a runtime may know about it. */
export interface ContainerSpec {
  /** A UUID; names the container, marks every process of the task. */
  readonly containerId: string;
  readonly frameworkId: string;
  readonly agentId: string;
  readonly task: TaskInfo;
  /** The sandbox on this machine; exists. */
  readonly directory: string;
}

/** How a task ended. */
export interface Exit {
  /** Undefined when nobody could see it. */
  readonly code: number | undefined;
  /** In Mesos' words, such as `Command exited with status 0`. */
  readonly message: string;
  /** A Mesos reason, when the end has one of its own. */
  readonly reason?: string | undefined;
}

/** A task that runs, or has ended and is not yet disposed of. */
export interface Execution {
  readonly pid: number | undefined;
  /** Where its ports answer, as seen from this machine. */
  readonly address: string;
  /** What the runtime knows of it, for `TaskStatus.data`; base64. */
  readonly data?: string | undefined;
  /** Resolves once, when nothing of the task runs any more and its output is in the sandbox. Never rejects. */
  readonly exited: Promise<Exit>;
  /** SIGTERM now, SIGKILL after the grace period. Again with less grace: the shorter one counts. */
  kill(graceMs: number): void;
  /** Runs a check next to the task and gives its exit code; rejects when it did not end in time. */
  check(command: CommandInfo, timeoutMs: number): Promise<number>;
  /** Clears away what is left of an ended task. The sandbox stays. */
  dispose(): Promise<void>;
}

/** The task could not be started; the message is for the user, in the words of the system that refused. */
export class LaunchError extends Error {}

export interface Runtime {
  /** What may take long before the start, such as an image's pull. Rejects with LaunchError. */
  prepare(spec: ContainerSpec, signal: AbortSignal): Promise<void>;
  /** Starts the task. Rejects with LaunchError; then nothing of it is left. */
  launch(spec: ContainerSpec): Promise<Execution>;
  /** Finds a task that an earlier run of this agent started; undefined when there is no trace of it. */
  adopt(spec: ContainerSpec): Promise<Execution | undefined>;
  /** Ends whatever this agent once started and does not know any more; says what it ended. */
  removeOrphans(known: ReadonlySet<string>): Promise<string[]>;
}
