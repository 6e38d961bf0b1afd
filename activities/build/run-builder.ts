/** The activity that runs a builder: a Mesos task on an agent for builds. */
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';
import {
  type ActivityTask,
  endTaskOfActivity,
  NoFittingOfferError,
  runTaskInActivity,
  type TaskEnd,
} from '../mesos-task.ts';
import { type BuilderTaskConfig, builderTask } from './builder-task.ts';

/** The parts of Slipway's configuration that this needs; a part of `Configuration` as it is. */
export interface RunBuilderConfig extends BuilderTaskConfig {
  readonly mesos: { readonly master: string };
  readonly builder: BuilderTaskConfig['builder'] & {
    /** Mesos agent attribute, `<name>:<value>`. */
    readonly attribute: string;
  };
}

/** How a builder ended; also one that could not be started is a result. */
export interface BuilderEnd {
  /** Where it ran; absent when no agent took it. */
  readonly agent?: {
    readonly id: string;
    /** `host:port` of the agent; its id where Mesos did not tell. */
    readonly address: string;
  };
  /** The last Mesos task state; absent when no agent took it. */
  readonly state?: string;
  /** What Mesos said of its end. */
  readonly message: string;
}

export type BuilderTaskActivities = ReturnType<typeof createRunBuilderActivities>;

/** From SIGTERM to SIGKILL: the builder takes 3 s to end what its stage runs. */
const KILL_GRACE_MS = 5_000;
const DAY_MS = 24 * 3600 * 1000;

/** Which builder to run. */
export interface BuilderOrder {
  readonly builderId: string;
  readonly service: string;
  /** Ids of agents on which it must not run. */
  readonly excludeAgents: readonly string[];
}

export function createRunBuilderActivities(config: RunBuilderConfig) {
  function taskOf({ builderId, service, excludeAgents }: BuilderOrder): ActivityTask {
    if (config.services[service] === undefined) {
      throw ApplicationFailure.create({
        type: FailureType.UnknownService,
        nonRetryable: true,
        message: `no service "${service}" is configured, so there is nothing to build`,
      });
    }
    const { command, environment, resources } = builderTask(config, { builderId, service });
    const [program = '', ...args] = command;
    const [attribute = '', ...value] = config.builder.attribute.split(':');
    return {
      master: config.mesos.master,
      frameworkName: `slipway builder ${builderId}`,
      task: {
        name: `build-${builderId}`,
        command: { shell: false, value: program, arguments: [program, ...args] },
        environment,
        resources: { cpus: resources.cpus, mem: resources.memoryMiB },
        killGraceMs: KILL_GRACE_MS,
      },
      attributes: { [attribute]: value.join(':') },
      excludeAgents,
      offerTimeoutMs: config.builder.startSeconds * 1000,
      // The workflow ends it; that of a workflow which was terminated is left, and ended by Mesos.
      timeoutMs: DAY_MS,
    };
  }

  return {
    /** How long a builder may take from the order to its first stage. */
    async readBuilderStart(): Promise<{ readonly startSeconds: number }> {
      return { startSeconds: config.builder.startSeconds };
    },

    /**
     * Runs a builder until it has ended. To cancel is how it is told to leave: then too this returns with its end, once
     * Mesos has said it. When no agent fits within `startSeconds` it returns without an agent. Fails with
     * `UnknownService`, and with what Mesos fails with. Taken up again by another worker when its own dies; but not
     * once it was cancelled: whoever gets no end from it calls `endBuilder`.
     */
    async runBuilder(order: BuilderOrder): Promise<BuilderEnd> {
      try {
        return builderEnd(await runTaskInActivity(taskOf(order)));
      } catch (error) {
        if (error instanceof NoFittingOfferError) return { message: error.message };
        throw error;
      }
    },

    /**
     * Ends what is left of a builder whose activity told no end, and returns when nothing is. Fails with
     * `UnknownService`, and with what Mesos fails with.
     */
    async endBuilder({
      activityId,
      order,
    }: {
      readonly activityId: string;
      readonly order: BuilderOrder;
    }): Promise<BuilderEnd> {
      return builderEnd(await endTaskOfActivity(activityId, taskOf(order)));
    },
  };
}

function builderEnd(end: TaskEnd): BuilderEnd {
  const seen = end.kind === 'ended' ? end.result : end.progress;
  const agent =
    seen?.agentId === undefined
      ? {}
      : {
          agent: {
            id: seen.agentId,
            address: seen.agentUrl === undefined ? seen.agentId : new URL(seen.agentUrl).host,
          },
        };
  if (end.kind === 'stopped') return { ...agent, state: 'TASK_KILLED', message: 'it was told to leave' };
  const { state, message, exitCode } = end.result;
  const code = exitCode === undefined ? '' : `, exit code ${exitCode}`;
  return { ...agent, state, message: `${state}${code}${message === '' ? '' : `: ${message}`}` };
}
