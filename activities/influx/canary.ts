import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { JudgeInputs } from '../../domain/judge/inputs.ts';
import { decide } from '../../domain/judge/judge.ts';
import type { InfluxActivities } from './activities.ts';

/** Figures come in at most so many intervals, of a second at least, so that a history holds what a verdict rests on. */
const MOST_INTERVALS = 120;

/** Revisions that are compared, and by what. */
export interface CanaryQuestion
  extends Pick<JudgeInputs, 'policy' | 'canaryShare' | 'baselineShare' | 'latencyMemory'> {
  readonly environment: string;
  readonly service: string;
  readonly canary: string;
  /** Null where there is nothing to compare with. */
  readonly baseline: string | null;
  /** The old revision where the baseline is fresh instances of it; absent where nobody asks it. */
  readonly others?: string;
  /** Since when they have had their shares; ISO 8601. */
  readonly from: string;
}

export type CanaryActivities = ReturnType<typeof createCanaryActivities>;

/** Activities that read what a judge needs of a canary. They fail as those of InfluxDB do. */
export function createCanaryActivities(figures: Pick<InfluxActivities, 'readCanaryFigures'>) {
  /** @param to ISO 8601 */
  async function readJudgeInputs(question: CanaryQuestion & { readonly to: string }): Promise<JudgeInputs> {
    const { policy, canaryShare, baselineShare, latencyMemory, ...asked } = question;
    const { environment, service, canary, baseline, others, from, to } = asked;
    const windowSeconds = (Date.parse(to) - Date.parse(from)) / 1000;
    const read = await figures.readCanaryFigures({
      ...{ environment, service, canary, baseline, from, to },
      ...(others === undefined ? {} : { others }),
      intervalSeconds: Math.max(1, Math.ceil(windowSeconds / MOST_INTERVALS)),
      // What is judged by times is judged by single answers too, where somebody writes them.
      timings: policy.maxP99Ms !== undefined || policy.maxSlowdownPercent !== undefined,
    });
    const shares = { canaryShare, ...(baselineShare === undefined ? {} : { baselineShare }) };
    return { policy, ...shares, windowSeconds, ...read, ...(latencyMemory && { latencyMemory }) };
  }

  return {
    readJudgeInputs,

    /**
     * Looks at the figures until the judge finds harm, or with `decision` until it can decide, and tells what that rests
     * on. A look at which there is nothing to tell ends the attempt with a failure that is none, and Temporal's retry
     * policy brings the next one: in three events of the history, and without a worker's slot between two looks.
     */
    async watchCanary({ until, ...question }: CanaryQuestion & { until: 'harm' | 'decision' }): Promise<JudgeInputs> {
      // The server's clock, by which the workflow measures its window, too.
      const to = new Date(Context.current().info.currentAttemptScheduledTimestampMs).toISOString();
      const inputs = await readJudgeInputs({ ...question, to });
      const { result } = decide(inputs);
      if (result === 'fail' || (until === 'decision' && result === 'pass')) return inputs;
      throw ApplicationFailure.create({
        type: 'NothingNew',
        message: `${question.canary} of ${question.service} in ${question.environment} is looked at again`,
        category: ApplicationFailureCategory.BENIGN,
      });
    },
  };
}
