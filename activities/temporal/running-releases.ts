import type { WorkflowClient } from '@temporalio/client';
import type { ImageReference } from '../../domain/bundle.ts';
import { releaseQuery } from '../../workflows/contract.ts';
import { temporalFailure } from '../temporal-failure.ts';
import { type ListedRelease, listedReleases } from './listed-releases.ts';

/** Longest time for one call to Temporal. */
const CALL_TIMEOUT_MS = 5_000;

/** What a release that has not ended holds of a registry. */
export interface RunningRelease extends ListedRelease {
  /** False while it is not known yet what it will release. */
  readonly prepared: boolean;
  /** The service's image and those of its tests; empty until they are built. */
  readonly images: readonly ImageReference[];
}

export type RunningReleaseActivities = ReturnType<typeof createRunningReleaseActivities>;

/**
 * Fail with `SystemUnavailable` when Temporal, or the worker that answers queries, does not answer in time, and with
 * `SystemRefused` when it will not.
 */
export function createRunningReleaseActivities(client: WorkflowClient) {
  async function call<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, ask);
    } catch (error) {
      throw temporalFailure(what, error);
    }
  }

  return {
    /**
     * Every release that has not ended. One that cannot be asked fails the call: who collects garbage must not take
     * silence for "needs nothing".
     */
    async listRunningReleases(): Promise<RunningRelease[]> {
      const listed = await call('listing the running releases', () => listedReleases(client));
      const releases: RunningRelease[] = [];
      for (const { id, service, key } of listed) {
        const view = await call(`asking ${id}`, () => client.getHandle(id).query(releaseQuery));
        const images = view.bundle === undefined ? [] : [view.bundle.image, ...Object.values(view.bundle.testImages)];
        releases.push({ id, service, key, prepared: view.plan !== undefined, images });
      }
      return releases;
    },
  };
}
