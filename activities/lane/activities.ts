import { type WorkflowClient, WorkflowNotFoundError } from '@temporalio/client';
import {
  type AdmissionRequest,
  admitSignal,
  type LaneInput,
  type LaneView,
  laneQuery,
  laneWorkflowId,
  type ScaleSignal,
  scaleSignal,
  TASK_QUEUE,
  WorkflowType,
} from '../../workflows/contract.ts';
import { temporalFailure } from '../temporal-failure.ts';

/** Longest time for one call to Temporal. */
const CALL_TIMEOUT_MS = 5_000;

/** How many lanes are asked or told at once. */
const CONCURRENCY = 10;

/** What a lane answered, or why it gave no answer. */
export type LaneReading = { readonly environment: string; readonly service: string } & (
  | { readonly view: LaneView }
  | { readonly unreadable: string }
);

/** What autoscaling must know of a lane; small, since all of them cross one history. */
export type LaneLoadFacts = { readonly environment: string; readonly service: string } & (
  | {
      /** What serves now; absent before the first release. */
      readonly current?: { readonly revision: string; readonly instances: number };
      /** Release that holds the lane. */
      readonly holder?: string;
    }
  | { readonly unreadable: string }
);

/** A wish for one lane. */
export interface LaneWish {
  readonly environment: string;
  readonly service: string;
  readonly signal: ScaleSignal;
}

export type LaneActivities = ReturnType<typeof createLaneActivities>;

/**
 * Activities that speak to lanes, by Temporal itself. All are idempotent. They fail with `SystemUnavailable` when
 * Temporal does not answer within 5 s a call, and with `SystemRefused` when it will not.
 */
export function createLaneActivities(client: WorkflowClient) {
  /** Every call has a deadline and ends in a failure with a type. */
  async function call<T>(what: string, fn: () => Promise<T>): Promise<T> {
    try {
      return await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, fn);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw error;
      throw temporalFailure(what, error);
    }
  }

  const runningLanes = () =>
    call('listing the lanes', async () => {
      const lanes: { environment: string; service: string }[] = [];
      const query = `WorkflowType = '${WorkflowType.Lane}' AND ExecutionStatus = 'Running'`;
      for await (const { workflowId } of client.list({ query })) {
        const [kind, environment, service, ...rest] = workflowId.split('/');
        if (kind === 'lane' && environment && service && rest.length === 0) lanes.push({ environment, service });
      }
      return lanes.sort(
        (left, right) => compare(left.environment, right.environment) || compare(left.service, right.service),
      );
    });

  async function readLane(lane: { environment: string; service: string }): Promise<LaneReading> {
    const { environment, service } = lane;
    const id = laneWorkflowId(environment, service);
    try {
      return { environment, service, view: await call(`asking ${id}`, () => client.getHandle(id).query(laneQuery)) };
    } catch (error) {
      // One lane that cannot answer must not hide the others; the reason goes to whoever asked.
      return { environment, service, unreadable: error instanceof Error ? error.message : String(error) };
    }
  }

  const readRunning = async () => inBatches(await runningLanes(), readLane);

  return {
    /** Asks a lane to admit a release, and starts the lane if it does not run. Asked twice is asked once. */
    async askAdmission(request: AdmissionRequest): Promise<void> {
      const { environment, service } = request;
      const workflowId = laneWorkflowId(environment, service);
      const input: LaneInput = { environment, service };
      await call(`asking ${workflowId} for admission`, () =>
        client.signalWithStart(WorkflowType.Lane, {
          workflowId,
          taskQueue: TASK_QUEUE,
          args: [input],
          signal: admitSignal,
          signalArgs: [request],
          staticSummary: `${service} in ${environment}`,
          staticDetails: `The only writer of ${service}'s apps, traffic and scale in ${environment}. Lives for ever.`,
        }),
      );
    },

    /** Whether the release that holds a lane still runs; false as well when Temporal does not know it any more. */
    async describeHolder({ holder }: { readonly holder: string }): Promise<{ running: boolean }> {
      try {
        const { status } = await call(`looking for ${holder}`, () => client.getHandle(holder).describe());
        return { running: status.name === 'RUNNING' || status.name === 'PAUSED' };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return { running: false };
        throw error;
      }
    },

    /** Tells running lanes what the load asks for. Starts none: the answer names those that did not run. */
    async tellScale({ wishes }: { readonly wishes: readonly LaneWish[] }): Promise<{ notRunning: string[] }> {
      const told = await inBatches(wishes, async ({ environment, service, signal }) => {
        const id = laneWorkflowId(environment, service);
        try {
          await call(`telling ${id}`, () => client.getHandle(id).signal(scaleSignal, signal));
          return { id, running: true };
        } catch (error) {
          if (error instanceof WorkflowNotFoundError) return { id, running: false };
          throw error;
        }
      });
      return { notRunning: told.filter(({ running }) => !running).map(({ id }) => id) };
    },

    /**
     * The lanes of one service in these environments, asked by their ids, so that even a lane of a second ago is
     * there. Environments without a lane are left out.
     */
    async readLanes(input: {
      readonly service: string;
      readonly environments: readonly string[];
    }): Promise<LaneView[]> {
      const views = await inBatches(input.environments, async (environment) => {
        const id = laneWorkflowId(environment, input.service);
        try {
          return await call(`asking ${id}`, () => client.getHandle(id).query(laneQuery));
        } catch (error) {
          if (error instanceof WorkflowNotFoundError) return undefined;
          throw error;
        }
      });
      return views.filter((view) => view !== undefined);
    },

    /** The state of every running lane, by environment and service. */
    async listLaneViews(): Promise<LaneReading[]> {
      return await readRunning();
    },

    /** What autoscaling must know of every running lane, by environment and service. */
    async listLaneLoadFacts(): Promise<LaneLoadFacts[]> {
      return (await readRunning()).map((reading) => {
        if ('unreadable' in reading) return reading;
        const { environment, service, view } = reading;
        const { current } = view.state;
        return {
          environment,
          service,
          ...(current && { current: { revision: current.revision, instances: current.instances } }),
          ...(view.holder !== undefined && { holder: view.holder }),
        };
      });
    },
  };
}

async function inBatches<T, R>(items: readonly T[], fn: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += CONCURRENCY) {
    results.push(...(await Promise.all(items.slice(start, start + CONCURRENCY).map(fn))));
  }
  return results;
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
