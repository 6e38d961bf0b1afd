import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';

/** Of the balancer and of Marathon, by the names of their own activities. */
export interface RemovalParts {
  drainRevision(input: {
    readonly environment: string;
    readonly service: string;
    readonly revision: string;
    readonly deadlineSeconds: number;
  }): Promise<void>;
  deleteRevision(input: {
    readonly environment: string;
    readonly appId: string;
    readonly deadlineSeconds: number;
  }): Promise<void>;
}

export type RemovalActivities = ReturnType<typeof createRemovalActivities>;

/** How a revision goes: one activity on two systems, since a release does it again and again. */
export function createRemovalActivities({ drainRevision, deleteRevision }: RemovalParts) {
  return {
    /**
     * Takes a revision without traffic away: its last requests end, then its instances. Requests that have not ended
     * after `drainSeconds` are not waited for, since connections may last for days: instances still get their own time
     * to end. Fails as `deleteRevision` does.
     *
     * @returns whether its last requests have ended
     */
    async removeRevision(input: {
      readonly environment: string;
      readonly service: string;
      readonly revision: string;
      readonly appId: string;
      readonly drainSeconds: number;
      readonly deleteSeconds: number;
    }): Promise<{ readonly drained: boolean }> {
      const { environment, service, revision, appId, drainSeconds, deleteSeconds } = input;
      let drained = true;
      try {
        await drainRevision({ environment, service, revision, deadlineSeconds: drainSeconds });
      } catch (error) {
        if (!(error instanceof ApplicationFailure) || error.type !== FailureType.DeadlineExceeded) throw error;
        drained = false;
      }
      await deleteRevision({ environment, appId, deadlineSeconds: deleteSeconds });
      return { drained };
    },
  };
}
