import { defaultPayloadConverter } from '@temporalio/common';
import type { Bundle } from '../../domain/bundle.ts';
import type { ReleaseView } from '../../domain/release.ts';
import { acceptedSchema } from '../../domain/schemas/api.ts';
import { controlAnswerSchema } from '../../domain/schemas/controls.ts';
import { approvalSchema, releaseSchema } from '../../domain/schemas/release.ts';
import { until } from '../../local/platform/until.ts';
import { SearchAttribute } from '../../workflows/contract.ts';
import { apiOf } from './api.ts';
import { type FaultPlatform, SERVICE } from './fault-platform.ts';

/** A release that a test drives through its faults. */
export interface DrivenRelease {
  /**
   * Returns as soon as the release has begun a step; a busy machine may see it only when it is over. Asks Temporal itself,
   * which knows it while no worker runs.
   *
   * @throws {Error} when the release has ended without it
   */
  reaches(step: string): Promise<void>;
  /** Approves the plan, as somebody else than who asked for the release. */
  approve(): Promise<void>;
  /** Ends the hold or bake that it is in. */
  skipHold(): Promise<void>;
  /** Stops it. */
  abort(): Promise<void>;
  /** Waits for the end. */
  ended(): Promise<ReleaseView>;
}

/** What Temporal knows of a release without its worker. */
interface Look {
  readonly step: string | undefined;
  readonly over: boolean;
  /** Activities that have not ended, in words. */
  readonly pending: string;
}

/** Longest time for one step, a fault and what it costs to get over it included. */
const STEP_WITHIN_MS = 240_000;
const REQUESTED_BY = 'ann';
const APPROVED_BY = 'bob';

/** Starts a release of a commit, or of a bundle that was built before. */
export async function startRelease(
  { platform, temporal }: FaultPlatform,
  source: { readonly ref: string } | { readonly bundle: Bundle; readonly configVersion?: number },
): Promise<DrivenRelease> {
  const api = apiOf(platform, REQUESTED_BY);
  const key = crypto.randomUUID();
  const { id, location } = await api.call('/v1/releases', acceptedSchema, {
    method: 'POST',
    key,
    body: { service: SERVICE, ...source },
  });
  const handle = temporal.workflow.getHandle(id);

  async function look(): Promise<Look> {
    const { status, typedSearchAttributes, raw } = await handle.describe();
    const pending = raw.pendingActivities?.map(
      ({ activityType, attempt, lastFailure }) =>
        `${activityType?.name}, attempt ${attempt}${lastFailure ? ` after: ${lastFailure.message}` : ''}`,
    );
    return {
      step: typedSearchAttributes.get(SearchAttribute.Stage),
      over: status.name !== 'RUNNING',
      pending: pending?.join('; ') ?? '',
    };
  }

  /** Every step that it has begun so far, from its history. */
  async function begun(): Promise<readonly unknown[]> {
    const { events } = await handle.fetchHistory();
    return (events ?? []).flatMap(({ upsertWorkflowSearchAttributesEventAttributes: upserted }) => {
      const step = upserted?.searchAttributes?.indexedFields?.[SearchAttribute.Stage.name];
      return step ? [defaultPayloadConverter.fromPayload(step)] : [];
    });
  }

  return {
    async reaches(wanted) {
      let before: Look | undefined;
      const reached = await until(
        `${id} to begin ${wanted}`,
        async () => {
          const seen = await look();
          if (seen.step === wanted && !seen.over) return true;
          // Where it has moved since the last look, it may have passed the step in between.
          const moved = before?.step !== seen.step || before?.over !== seen.over;
          before = seen;
          if (moved && (await begun()).includes(wanted)) return true;
          if (seen.over) return false;
          throw new Error(`it is at ${seen.step} (${seen.pending})`);
        },
        { withinMs: STEP_WITHIN_MS, everyMs: 20 },
      );
      if (!reached) {
        const view = await api.call(location, releaseSchema);
        throw new Error(`${id} ended as ${view.outcome} before ${wanted}: ${view.failure?.message}`);
      }
    },
    async approve() {
      // Asked once, without a second try: also right after its worker has died a release must show what it waits for.
      const { plan } = releaseSchema.parse(await (await api.open(location, {})).json());
      await apiOf(platform, APPROVED_BY).call(`${location}/approve`, approvalSchema, {
        method: 'POST',
        key: crypto.randomUUID(),
        body: { planDigest: plan?.digest },
      });
    },
    async skipHold() {
      await apiOf(platform, APPROVED_BY).call(`${location}/skip-hold`, controlAnswerSchema, {
        method: 'POST',
        key: crypto.randomUUID(),
        body: { reason: 'nobody waits for it' },
      });
    },
    async abort() {
      await api.call(`${location}/abort`, acceptedSchema, {
        method: 'POST',
        key: crypto.randomUUID(),
        body: { reason: 'to see that nothing is left' },
      });
    },
    async ended() {
      await until(
        `${id} to end`,
        async () => {
          const { step, over, pending } = await look();
          if (!over) throw new Error(`it is at ${step} (${pending})`);
        },
        { withinMs: STEP_WITHIN_MS, everyMs: 100 },
      );
      return api.call(location, releaseSchema);
    },
  };
}
