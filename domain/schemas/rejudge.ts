/** Judging past releases again: what the ledger keeps of it, and how it goes over HTTP. */
import { z } from 'zod';
import type { GivenVerdict, Rejudgement } from '../judge/rejudge.ts';
import type { JudgePolicy } from '../manifest.ts';
import { verdictSchema } from './release.ts';

type Every<Shape> = { readonly [Field in keyof Required<Shape>]: z.ZodType };

const given = {
  result: z.enum(['pass', 'fail', 'inconclusive']),
  rule: z.string(),
  sentence: z.string(),
  sentenceZh: z.string(),
  inputHash: z.string(),
  judgeVersion: z.number(),
} satisfies Every<GivenVerdict>;

/** A verdict of any version of the judge. Whatever else it says is kept, for it is compared. */
export const givenVerdictSchema: z.ZodType<GivenVerdict> = z.looseObject(given);

const bounded = (most: number) => z.number().positive().max(most);

const policySchema: z.ZodType<JudgePolicy> = z
  .strictObject({
    maxErrorPercent: z.number().min(0).max(100),
    maxErrorIncreasePercent: bounded(100).exactOptional(),
    maxSlowdownPercent: z.number().positive().exactOptional(),
    maxP99Ms: bounded(600_000).exactOptional(),
    minRequests: z.int().positive().max(1_000_000_000),
    alpha: z.number().gt(0).lt(1),
  } satisfies Every<JudgePolicy>)
  .meta({ id: 'JudgePolicy', description: 'What a judge holds a canary to.' });

export const rejudgeOrderSchema = z
  .strictObject({
    policy: policySchema
      .exactOptional()
      .meta({ description: 'What to hold it to instead; absent for what it was then.' }),
  })
  .meta({ id: 'RejudgeOrder' });

const rejudgementSchema: z.ZodType<Rejudgement> = z
  .object({
    number: z.int(),
    at: z.string(),
    step: z.string().nullable(),
    judge: z.string().nullable(),
    before: z.object(given),
    now: verdictSchema,
    differences: z.array(z.string()).meta({ description: 'Fields in which the two differ; none when they are equal.' }),
  } satisfies Every<Rejudgement>)
  .meta({ id: 'Rejudgement', description: 'A verdict as it was given, and as the same figures are judged now.' });

export const rejudgementsSchema = z.object({ verdicts: z.array(rejudgementSchema) });
