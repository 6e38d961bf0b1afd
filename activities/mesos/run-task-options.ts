/** What `runTask` is given, tells and gives back; types only. */
import type { NeededResources } from './offer-matching.ts';
import type { RunState } from './task-updates.ts';
import type { CommandInfo, ContainerInfo, Labels, TaskState } from './types.ts';

/** What to run. */
export interface RunnableTask {
  /** Shown in Mesos; also the beginning of the task's id. Letters, digits, dots, dashes. */
  readonly name: string;
  /** With a container: what runs inside it; without `value` the image's own entry point. */
  readonly command?: Omit<CommandInfo, 'environment'> | undefined;
  readonly container?: ContainerInfo | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly resources: NeededResources;
  readonly labels?: Labels | undefined;
  /** Between SIGTERM and SIGKILL when the run is aborted; default Mesos' own 3 s. */
  readonly killGraceMs?: number | undefined;
}

/**
 * Where a run has come to; plain data. Kept by the caller (a Temporal heartbeat) and given back as `resume`, so that
 * a run whose process died is taken up where it was, with the same framework and the same task.
 */
export interface RunTaskProgress {
  readonly frameworkId: string;
  readonly taskId: string;
  readonly agentId?: string | undefined;
  /** Such as `http://127.0.0.1:5051`. */
  readonly agentUrl?: string | undefined;
  /** The directory of the task on its agent, for `readSandboxFile`. */
  readonly sandbox?: string | undefined;
  readonly state: RunState;
}

export interface RunTaskOptions {
  /** Any master of the cluster, such as `http://127.0.0.1:5050`. */
  readonly master: string;
  /** The framework's name in Mesos. */
  readonly frameworkName: string;
  readonly task: RunnableTask;
  /** TEXT attributes that the agent must have, all of them, such as `{ role: 'ci' }`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Ids of agents that must not be used, such as those that failed before. */
  readonly excludeAgents?: readonly string[] | undefined;
  /** How long Mesos keeps the task when this process is gone; long enough for another to take it up. */
  readonly failoverTimeoutSeconds: number;
  /** How long to wait for an offer that fits. */
  readonly offerTimeoutMs: number;
  /** For each call; default 10 s. */
  readonly callTimeoutMs?: number | undefined;
  /** Mesos role whose offers are used; default `*`. */
  readonly role?: string | undefined;
  /** Whom the task runs as where agents switch users; default `root`. */
  readonly user?: string | undefined;
  /** The framework's id, when the caller wants it to be the same at every attempt even if no progress was kept. */
  readonly frameworkId?: string | undefined;
  readonly resume?: RunTaskProgress | undefined;
  /** Told of every change, and before each thing that must not be done twice. */
  readonly onProgress: (progress: RunTaskProgress) => void;
  /** Ends the run: the task is killed and waited for, the framework torn down, then the call rejects with the reason. */
  readonly signal: AbortSignal;
  /** Leaves the task and its framework to another run that takes them up: nothing more is said to Mesos. */
  readonly leave?: AbortSignal | undefined;
}

/** How the task ended; a failed task is a result, not an error. */
export interface RunTaskResult {
  readonly state: TaskState;
  readonly message: string;
  readonly reason?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly frameworkId: string;
  readonly taskId: string;
  readonly agentId?: string | undefined;
  readonly agentUrl?: string | undefined;
  readonly sandbox?: string | undefined;
  /** What went wrong after the end without changing it, such as a teardown that was not answered. */
  readonly warnings: readonly string[];
}
