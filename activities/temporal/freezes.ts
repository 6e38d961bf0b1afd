import { type WorkflowClient, WorkflowNotFoundError } from '@temporalio/client';
import { concernsService, type Freeze, type FreezeList } from '../../domain/freeze.ts';
import {
  FREEZES_WORKFLOW_ID,
  type FreezesInput,
  type FreezeWatcher,
  freezesChangedSignal,
  freezesQuery,
  TASK_QUEUE,
  WorkflowType,
  watchFreezesSignal,
} from '../../workflows/contract.ts';
import { temporalFailure } from '../temporal-failure.ts';
import { listedReleases } from './listed-releases.ts';

/** Longest time for one call to Temporal. */
const CALL_TIMEOUT_MS = 5_000;

/** Releases that are told at once: more of them only stand in Temporal's queue. */
const CONCURRENCY = 64;

export type FreezeActivities = ReturnType<typeof createFreezeActivities>;

/**
 * Activities between releases and the workflow that keeps the freezes, by Temporal itself. All are idempotent. They fail
 * with `SystemUnavailable` when Temporal does not answer within 5 s a call, and with `SystemRefused` when it will not.
 */
export function createFreezeActivities(client: WorkflowClient) {
  async function call<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, ask);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw error;
      throw temporalFailure(what, error);
    }
  }

  return {
    /**
     * Asks that a release be told, by a signal, what is frozen for it now and whenever that changes. Starts the workflow
     * that keeps the freezes if it does not run. A query would be answered by the one worker that holds that workflow,
     * one after the other: with hundreds of releases at once most would not be answered in time.
     */
    async watchFreezes(watcher: FreezeWatcher): Promise<void> {
      const input: FreezesInput = {};
      await call('asking what is frozen', () =>
        client.signalWithStart(WorkflowType.Freezes, {
          workflowId: FREEZES_WORKFLOW_ID,
          taskQueue: TASK_QUEUE,
          args: [input],
          signal: watchFreezesSignal,
          signalArgs: [watcher],
          staticSummary: 'What is frozen',
          staticDetails: 'Keeps every freeze and tells the releases under way. Lives for ever.',
        }),
      );
    },

    /** The freezes that hold, for a person who asks; see `watchFreezes` for releases. */
    async readFreezes(): Promise<readonly Freeze[]> {
      try {
        const kept = client.getHandle(FREEZES_WORKFLOW_ID);
        return (await call('asking what is frozen', () => kept.query(freezesQuery))).freezes;
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
        // Nothing was ever frozen.
        return [];
      }
    },

    /** Every release under way, as `listedReleases` has them. */
    async listFreezeWatchers(): Promise<FreezeWatcher[]> {
      const listed = await call('listing the running releases', () => listedReleases(client));
      return listed.map(({ id, service }) => ({ holder: id, service }));
    },

    /**
     * Tells every watcher what is frozen for its service. One that can't be told hinders no other; the call then fails
     * and may be made again. @returns the watchers whose runs have ended
     */
    async announceFreezes(input: {
      readonly list: FreezeList;
      readonly watchers: readonly FreezeWatcher[];
    }): Promise<{ gone: string[] }> {
      const waiting = [...input.watchers];
      const gone: string[] = [];
      const failures: unknown[] = [];
      const tell = async ({ holder, service }: FreezeWatcher): Promise<void> => {
        const list = {
          number: input.list.number,
          freezes: input.list.freezes.filter((freeze) => concernsService(freeze, service)),
        };
        try {
          await call(`telling ${holder} what is frozen`, () =>
            client.getHandle(holder).signal(freezesChangedSignal, list),
          );
        } catch (error) {
          if (error instanceof WorkflowNotFoundError) gone.push(holder);
          else failures.push(error);
        }
      };
      await Promise.all(
        Array.from({ length: CONCURRENCY }, async () => {
          for (let watcher = waiting.shift(); watcher !== undefined; watcher = waiting.shift()) await tell(watcher);
        }),
      );
      if (failures.length > 0) throw failures[0];
      return { gone };
    },
  };
}
