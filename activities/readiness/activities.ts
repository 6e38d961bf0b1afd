import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ImageReference } from '../../domain/bundle.ts';
import { FailureType } from '../../domain/failures.ts';
import { type ReadinessGap, type ReadinessSeen, readinessGaps } from '../../domain/readiness.ts';
import { beating } from '../beating.ts';

/** Where what going back needs is looked up; each fails as the client of its system does. */
export interface ReadinessSources {
  readonly missingParts: (image: ImageReference, signal: AbortSignal) => Promise<ReadinessSeen['replicas']>;
  readonly resolveConfig: (input: {
    readonly environment: string;
    readonly service: string;
    readonly version: number;
  }) => Promise<unknown>;
  readonly freeCapacity: (attribute: AgentAttribute) => Promise<ReadinessSeen['agents']>;
}

interface AgentAttribute {
  readonly name: string;
  readonly value: string;
}

export interface ReadinessInput {
  readonly environment: string;
  readonly service: string;
  readonly image: ImageReference;
  /** 0 where the service had none. */
  readonly configVersion: number;
  /** Instances that would have to be started again. */
  readonly instances: number;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Only agents with it run them. */
  readonly agentAttribute: AgentAttribute;
}

/** Pause between two looks of a wait. */
const LOOK_MS = 5_000;

export type ReadinessActivities = ReturnType<typeof createReadinessActivities>;

/** Activities that say whether the way back is open. They change nothing. */
export function createReadinessActivities(sources: ReadinessSources) {
  const gaps = async (input: ReadinessInput, signal: AbortSignal): Promise<readonly ReadinessGap[]> => {
    const { agentAttribute, configVersion, environment, image, instances, service } = input;
    const [replicas, config, agents] = await Promise.all([
      sources.missingParts(image, signal),
      configVersion > 0 ? sources.resolveConfig({ environment, service, version: configVersion }) : undefined,
      instances > 0 ? sources.freeCapacity(agentAttribute) : [],
    ]);
    const needs = { ...input, image: `${image.repository}@${image.digest}` };
    return readinessGaps(needs, { replicas, configFound: config !== undefined, agents });
  };

  return {
    /** Everything that going back would lack now; empty when it is ready. */
    checkRollbackReadiness(input: ReadinessInput): Promise<readonly ReadinessGap[]> {
      return gaps(input, Context.current().cancellationSignal);
    },

    /**
     * Returns when going back lacks nothing any more; a system that does not answer is asked again. At the deadline
     * `NotReadyToRollBack`, with what is missing.
     */
    awaitRollbackReadiness(input: ReadinessInput & { readonly deadlineSeconds: number }): Promise<void> {
      return beating(async (signal) => {
        const deadline = performance.now() + input.deadlineSeconds * 1000;
        for (;;) {
          const missing = await gaps(input, signal).then(sentences, (error: unknown) => {
            if (!(error instanceof ApplicationFailure)) throw error;
            return error.message;
          });
          if (missing === '') return;
          if (performance.now() >= deadline) {
            throw ApplicationFailure.create({
              type: FailureType.NotReadyToRollBack,
              nonRetryable: true,
              message: missing,
            });
          }
          await Context.current().sleep(Math.min(LOOK_MS, Math.max(0, deadline - performance.now())));
        }
      });
    },
  };
}

const sentences = (gaps: readonly ReadinessGap[]): string => gaps.map(({ sentence }) => sentence).join('; ');
