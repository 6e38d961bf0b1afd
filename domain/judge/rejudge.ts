import { canonicalJson } from '../digest.ts';
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

/** What of a verdict every version of the judge has given. */
export type GivenVerdict = Pick<Verdict, 'result' | 'rule' | 'sentence' | 'sentenceZh' | 'inputHash' | 'judgeVersion'>;

/** A verdict as the ledger keeps it, with what it rests on. */
export interface KeptVerdict {
  /** From 1, in the order in which they were given. */
  readonly number: number;
  /** ISO 8601. */
  readonly at: string;
  /** Id of the step, a judge or the hold before it; null in what was kept before verdicts had it. */
  readonly step: string | null;
  /** Name of the judge in the manifest; null as above. */
  readonly judge: string | null;
  readonly verdict: GivenVerdict;
  readonly inputs: JudgeInputs;
}

/** A kept verdict beside the one that the same figures give now. */
export interface Rejudgement extends Pick<KeptVerdict, 'number' | 'at' | 'step' | 'judge'> {
  readonly before: Pick<Verdict, 'result' | 'rule' | 'sentence' | 'sentenceZh' | 'inputHash' | 'judgeVersion'>;
  readonly now: Verdict;
  /** Fields in which the two differ, in the order of the alphabet; none when they are equal. */
  readonly differences: readonly string[];
}

/**
 * Judges kept figures again and says what came out otherwise. Without a policy, and by the version of the judge that gave
 * the verdict, everything must be equal to the letter, the hash of the inputs too: a difference means that figures or verdict
 * were changed afterwards. Under another policy, or by another version, sentences and estimates differ by nature; then
 * result and rule are compared.
 */
export function judgedAgain(kept: KeptVerdict, policy?: JudgePolicy): Rejudgement {
  const { inputs, verdict, ...place } = kept;
  const now = rejudge(inputs, policy);
  const { result, rule, sentence, sentenceZh, inputHash, judgeVersion } = verdict;
  const alike = policy === undefined && judgeVersion === now.judgeVersion;
  const fields = alike ? new Set([...Object.keys(verdict), ...Object.keys(now)]) : new Set(['result', 'rule']);
  if (policy === undefined) fields.add('inputHash');
  return {
    ...place,
    before: { result, rule, sentence, sentenceZh, inputHash, judgeVersion },
    now,
    differences: [...fields].filter((field) => textOf(verdict, field) !== textOf(now, field)).sort(),
  };
}

function textOf(verdict: object, field: string): string | undefined {
  const value: unknown = Object.entries(verdict).find(([name]) => name === field)?.[1];
  return value === undefined ? undefined : canonicalJson(value);
}
