import type { JudgePolicy } from '../manifest.ts';
import type { JudgeInputs } from './inputs.ts';
import { judgeCanary } from './judge.ts';
import type { Verdict } from './verdict.ts';

/**
 * Computes a verdict again from the inputs that were kept. Without a policy it equals the verdict given then, bit by bit,
 * as long as the judge's version is the same.
 *
 * @param policy what to hold the canary to instead
 */
export function rejudge(inputs: JudgeInputs, policy: JudgePolicy = inputs.policy): Verdict {
  return judgeCanary({ ...inputs, policy });
}
