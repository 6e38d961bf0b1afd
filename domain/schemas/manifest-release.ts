/** The section `release` of `slipway.yaml`, from what people write to a `ReleaseSpec`. */
import { z } from 'zod';
import { type CanaryEntry, type JudgePolicy, type ReleaseSpec, STRATEGIES } from '../manifest.ts';
import { MOST_STEPS } from '../plan.ts';
import { isTimeZone, WEEKDAYS } from '../window.ts';
import { DAY, dnsLabel, instanceCount, MOST_ENVIRONMENTS, wholeNumber } from './manifest-values.ts';
import { duration, milliseconds, percent } from './quantities.ts';

const MOST_WINDOWS = 50;
const MOST_JUDGES = 100;

/** What a judge allows, as each entry of `release.metrics` says it. */
export const judgeSchema = z.strictObject({
  maxErrors: percent().prefault('5%').meta({ description: 'Largest share of canary answers that may be 5xx.' }),
  maxErrorIncrease: percent()
    .refine((points) => points > 0, { error: 'must be above 0%; figures can never show that nothing is worse' })
    .optional()
    .meta({
      description:
        'By how many percentage points the share of 5xx may be above that of the old revision; absent for as many as maxErrors allows.',
    }),
  maxSlowdown: percent()
    .refine((share) => share > 0, { error: 'must be above 0%; figures can never show that nothing is slower' })
    .optional()
    .meta({
      description:
        'By how much the canary may answer more slowly than the old revision; absent where times are not judged.',
    }),
  maxP99: milliseconds(1, 600_000).optional().meta({
    description: "Time that 99 % of the canary's answers must stay under; needs times of single answers.",
  }),
  minRequests: wholeNumber(1, 1_000_000_000)
    .default(50)
    .meta({ description: 'Fewest requests of each side on which a verdict may rest.' }),
  alpha: z
    .number()
    .gt(0, { error: 'must be above 0 and below 1' })
    .lt(1, { error: 'must be above 0 and below 1' })
    .default(0.05)
    .meta({
      description:
        'Chance at most of a false alarm of the comparison with the old revision; for errors a fifth of it where fresh instances err as the others do.',
    }),
});

/** A canary has some of the traffic and never all of it: the shift to 100 % follows by itself. */
export const canaryWeightSchema = percent().refine((weight) => weight > 0 && weight < 100, {
  error: 'must be above 0% and below 100%; the shift to 100% follows by itself',
});

/** Name of a judge. */
export const judgeNameSchema = dnsLabel;

/** That an entry has exactly one key is a rule of its own, so that it hides no other mistake. */
const canaryEntrySchema = z
  .strictObject({
    instances: instanceCount.optional().meta({ description: 'So many instances of the new revision.' }),
    weight: canaryWeightSchema.optional().meta({ description: 'Share of traffic.' }),
    hold: duration(1, DAY).optional().meta({ description: 'How long figures are collected.' }),
    judge: judgeNameSchema.optional().meta({ description: 'The judge speaks, by this entry of metrics.' }),
    approve: wholeNumber(1, 20).optional().meta({ description: 'So many different people approve.' }),
  })
  .meta({ minProperties: 1, maxProperties: 1 });

const aboveNone = percent().refine((share) => share > 0, { error: 'must be above 0%' });

const timeOfDay = z.string({ error: () => 'write a time such as 09:00' });

const windowSchema = z.strictObject({
  environments: z
    .array(dnsLabel)
    .min(1, { error: 'must name at least one environment' })
    .max(MOST_ENVIRONMENTS, { error: `must name at most ${MOST_ENVIRONMENTS} environments` }),
  days: z
    .array(z.enum(WEEKDAYS))
    .min(1, { error: 'must name at least one day' })
    .prefault([...WEEKDAYS])
    .meta({ description: 'Days on which the window opens.' }),
  from: timeOfDay
    .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, { error: 'write a time such as 09:00' })
    .meta({ description: 'When it opens, in the zone.' }),
  to: timeOfDay
    .regex(/^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/, { error: 'write a time such as 17:00, or 24:00' })
    .meta({ description: 'When it closes; one that is not after from is of the next day.' }),
  zone: z
    .string()
    .max(100)
    .refine(isTimeZone, { error: 'is no time zone; write an IANA name such as Asia/Shanghai or UTC' })
    .meta({ description: 'IANA name of the time zone.' }),
});

export const releaseSchema = z.strictObject({
  strategy: z.enum(STRATEGIES).default('canary').meta({ description: 'How the new revision takes over.' }),
  canary: z
    .array(canaryEntrySchema)
    .max(MOST_STEPS, { error: `must have at most ${MOST_STEPS} entries` })
    .prefault([{ instances: 1 }, { weight: '5%' }, { hold: '10m' }, { judge: 'errors' }, { weight: '50%' }])
    .meta({ description: 'What the strategy canary does, in this order, one key an entry; then all traffic follows.' }),
  rolling: z
    .strictObject({
      batch: aboveNone.prefault('25%').meta({ description: 'Share of the instances that are replaced at a time.' }),
      surge: percent()
        .prefault('25%')
        .meta({ description: 'Share of the instances that may run on top; with 0% old ones stop first.' }),
    })
    .prefault({}),
  metrics: z
    .record(judgeNameSchema, judgeSchema)
    .refine((judges) => Object.keys(judges).length <= MOST_JUDGES, { error: `must be at most ${MOST_JUDGES}` })
    .meta({ description: 'Judges by name; errors exists by default.', maxProperties: MOST_JUDGES })
    .prefault({}),
  approvals: z
    .strictObject({
      count: wholeNumber(0, 20).default(1).meta({ description: 'How many different people, the requester excluded.' }),
      group: dnsLabel.optional().meta({ description: 'The group they must be of; anyone without it.' }),
      expires: duration(1, 30 * DAY).prefault('60m'),
    })
    .prefault({}),
  windows: z
    .array(windowSchema)
    .max(MOST_WINDOWS, { error: `must be at most ${MOST_WINDOWS}` })
    .prefault([])
    .meta({ description: 'When a release may move forward in these environments; elsewhere always.' }),
  bake: duration(0, 7 * DAY)
    .prefault('10m')
    .meta({ description: 'How long the old revision stays warm after the last shift.' }),
  retryWithin: duration(0, DAY).prefault('0s').meta({
    description: 'How long a step that failed waits to be tried again before the release ends.',
  }),
});

type WrittenRelease = z.output<typeof releaseSchema>;

/** @param written a section that has no errors */
export function toReleaseSpec(written: WrittenRelease): ReleaseSpec {
  const { approvals, rolling } = written;
  return {
    strategy: written.strategy,
    canary: written.canary.map(toCanaryEntry),
    rolling: { batchPercent: rolling.batch, surgePercent: rolling.surge },
    metrics: {
      [DEFAULT_JUDGE]: toJudgePolicy(judgeSchema.parse({})),
      ...Object.fromEntries(Object.entries(written.metrics).map(([name, judge]) => [name, toJudgePolicy(judge)])),
    },
    approvals: {
      count: approvals.count,
      ...(approvals.group === undefined ? {} : { group: approvals.group }),
      expiresSeconds: approvals.expires,
    },
    windows: written.windows,
    bakeSeconds: written.bake,
    retryWithinSeconds: written.retryWithin,
  };
}

/** The judge that exists although nobody names it. */
export const DEFAULT_JUDGE = 'errors';

function toCanaryEntry({ instances, weight, hold, judge, approve }: WrittenRelease['canary'][number]): CanaryEntry {
  if (instances !== undefined) return { kind: 'instances', instances };
  if (weight !== undefined) return { kind: 'weight', weight };
  if (hold !== undefined) return { kind: 'hold', seconds: hold };
  if (judge !== undefined) return { kind: 'judge', name: judge };
  if (approve !== undefined) return { kind: 'approve', count: approve };
  throw new Error('an entry of a canary without a key passed the rules');
}

/** What is left out of the manifest is left out of the policy, and so of the plan and its digest. */
export function toJudgePolicy({
  maxErrors,
  maxErrorIncrease,
  maxSlowdown,
  maxP99,
  minRequests,
  alpha,
}: z.output<typeof judgeSchema>): JudgePolicy {
  return {
    maxErrorPercent: maxErrors,
    ...(maxErrorIncrease === undefined ? {} : { maxErrorIncreasePercent: maxErrorIncrease }),
    ...(maxSlowdown === undefined ? {} : { maxSlowdownPercent: maxSlowdown }),
    ...(maxP99 === undefined ? {} : { maxP99Ms: maxP99 }),
    minRequests,
    alpha,
  };
}
