import { ApplicationFailure } from '@temporalio/common';
import type { Kysely } from 'kysely';
import { FailureType } from '../../domain/failures.ts';
import { judgedAgain, type KeptVerdict, type Rejudgement } from '../../domain/judge/rejudge.ts';
import type { JudgePolicy } from '../../domain/manifest.ts';
import { givenVerdictSchema } from '../../domain/schemas/rejudge.ts';
import { judgeInputsSchema } from '../../domain/schemas/release.ts';
import type { Tables } from './tables.ts';

/** Which release to judge again, and by what. */
export interface RejudgeOrder {
  /** Workflow id of the release. */
  readonly release: string;
  /** What to hold it to instead; absent for what each verdict was held to. */
  readonly policy?: JudgePolicy;
}

/**
 * Judges every verdict of a release again, in the order in which they were given.
 *
 * @throws ApplicationFailure not retryable: `UnknownRelease` when the ledger has none of that id, `UnexpectedAnswer` when it
 * keeps something that no judge can have left
 */
export async function rejudgeRelease(
  db: Kysely<Tables>,
  { release, policy }: RejudgeOrder,
): Promise<readonly Rejudgement[]> {
  const known = await db.selectFrom('releases').select('id').where('id', '=', release).executeTakeFirst();
  if (known === undefined) {
    throw refused(FailureType.UnknownRelease, `the ledger knows no ${release}`);
  }
  const rows = await db
    .selectFrom('verdicts')
    .select(['number', 'given_at', 'step', 'judge', 'verdict', 'inputs'])
    .where('release', '=', release)
    .orderBy('number')
    .execute();
  return rows.map(({ given_at: at, inputs, verdict, ...row }) => {
    const kept = { ...row, at: at.toISOString(), verdict: readVerdict(verdict), inputs: readInputs(inputs) };
    return judgedAgain(kept, policy);
  });
}

function readVerdict(json: unknown): KeptVerdict['verdict'] {
  const read = givenVerdictSchema.safeParse(json);
  if (read.success) return read.data;
  throw refused(FailureType.UnexpectedAnswer, `the ledger keeps a verdict that is none: ${read.error.message}`);
}

/** Checked and not taken from the reading: what a schema leaves out would change the hash. */
function readInputs(json: unknown): KeptVerdict['inputs'] {
  if (isInputs(json)) return json;
  throw refused(FailureType.UnexpectedAnswer, 'the ledger keeps figures of a verdict that no judge can have read');
}

function isInputs(json: unknown): json is KeptVerdict['inputs'] {
  return judgeInputsSchema.safeParse(json).success;
}

function refused(type: FailureType, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}
