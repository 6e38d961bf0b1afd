/** A release and its plan as they go over HTTP; the API answers by these schemas and the command line reads by them. */
import { z } from 'zod';
import type { Bundle, ImageReference } from '../bundle.ts';
import type { ConfigDiff } from '../config-diff.ts';
import type { Interval, IntervalFigures, JudgeInputs, RevisionWindow } from '../judge/inputs.ts';
import type { ErrorComparison, Estimate, JudgeParameters, Verdict } from '../judge/verdict.ts';
import type { JudgePolicy } from '../manifest.ts';
import type {
  BaselineTarget,
  EnvironmentChange,
  Plan,
  PlanFreeze,
  PlanVeto,
  Running,
  ShiftOrder,
  Step,
} from '../plan.ts';
import type {
  ApprovalRecord,
  CommandRecord,
  ReleaseFailure,
  ReleaseOutcome,
  ReleaseView,
  RollbackRecord,
  StepOutcome,
  StepRecord,
} from '../release.ts';
import { type Wait, WaitReason } from '../wait.ts';
import { driftSchema } from './drift.ts';
import { freezeSchema } from './freeze.ts';
import { bundleIdSchema, vetoSchema } from './veto.ts';

/** A field more in the type than here would be dropped without a word, so each shape names every key of its type. */
type Every<Type> = Record<keyof Type, z.ZodType>;
type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

const timestamp = z.iso.datetime({ offset: true });
const seconds = z.number().nonnegative();
const percent = z.number().min(0).max(100);

const DIGEST = /^sha256:[0-9a-f]{64}$/;
export const digestSchema = z.string().regex(DIGEST, 'write sha256: and 64 hex digits');

const imageSchema: z.ZodType<ImageReference> = z.object({
  repository: z.string().min(1),
  digest: digestSchema,
} satisfies Every<ImageReference>);

export const bundleSchema: z.ZodType<Bundle> = z
  .object({
    id: bundleIdSchema,
    service: z.string().min(1),
    version: z.string().min(1),
    commit: z.string().min(1),
    image: imageSchema,
    testImages: z.record(z.string(), imageSchema),
    configVersion: z.int().nonnegative(),
    manifestDigest: z.string().min(1),
  } satisfies Every<Bundle>)
  .meta({ id: 'Bundle', description: 'What moves through environments as one thing.' });

const judgePolicy = {
  maxErrorPercent: percent,
  maxErrorIncreasePercent: percent.exactOptional(),
  maxSlowdownPercent: percent.exactOptional(),
  maxP99Ms: z.number().positive().exactOptional(),
  minRequests: z.number(),
  alpha: z.number(),
} satisfies Every<JudgePolicy>;

const judgeSchema: z.ZodType<JudgePolicy> = z.object(judgePolicy);

const step = { id: z.string(), environment: z.string() };
const count = z.int().nonnegative();
const shiftOrders = ['up-first', 'down-first', 'at-once'] as const satisfies readonly ShiftOrder[];

const stepSchema: z.ZodType<Step> = z
  .discriminatedUnion('kind', [
    z.object({ id: step.id, kind: z.literal('build') } satisfies Every<StepOf<'build'>>),
    z.object({ ...step, kind: z.literal('deploy'), instances: z.int() } satisfies Every<StepOf<'deploy'>>),
    z.object({ ...step, kind: z.literal('test'), suites: z.array(z.string()) } satisfies Every<StepOf<'test'>>),
    z.object({ id: step.id, kind: z.literal('promote'), tag: z.string() } satisfies Every<StepOf<'promote'>>),
    z.object({
      ...step,
      kind: z.literal('approve'),
      count: z.int(),
      group: z.string().exactOptional(),
      expiresSeconds: seconds,
    } satisfies Every<StepOf<'approve'>>),
    z.object({
      ...step,
      kind: z.literal('shift'),
      order: z.enum(shiftOrders),
      weight: percent,
      instances: count,
      keep: count,
      baseline: z.object({ instances: count, weight: percent } satisfies Every<BaselineTarget>).nullable(),
    } satisfies Every<StepOf<'shift'>>),
    z.object({
      ...step,
      kind: z.literal('hold'),
      seconds,
      watch: z.object({ name: z.string(), policy: judgeSchema }).nullable(),
    } satisfies Every<StepOf<'hold'>>),
    z.object({
      ...step,
      kind: z.literal('judge'),
      name: z.string(),
      policy: judgeSchema,
      seconds,
      moreSeconds: seconds,
    } satisfies Every<StepOf<'judge'>>),
    z.object({ ...step, kind: z.literal('bake'), seconds } satisfies Every<StepOf<'bake'>>),
    z.object({ ...step, kind: z.literal('retire') } satisfies Every<StepOf<'retire'>>),
  ])
  .meta({ id: 'Step', description: 'One entry of a plan.' });

const runningSchema: z.ZodType<Running> = z.object({
  revision: z.string(),
  instances: count,
  configVersion: count,
} satisfies Every<Running>);

const changeSchema: z.ZodType<EnvironmentChange> = z.object({
  environment: z.string(),
  starts: count,
  stops: z.object({ revision: z.string(), instances: count }).nullable(),
  baseline: count,
  fewest: count,
  most: count,
  weights: z.array(percent),
} satisfies Every<EnvironmentChange>);

const configDiffSchema: z.ZodType<ConfigDiff> = z
  .object({
    from: count,
    to: count,
    added: z.array(z.string()),
    removed: z.array(z.string()),
    changed: z.array(z.string()),
  } satisfies Every<ConfigDiff>)
  .meta({ description: 'Names of the keys that differ; values are never shown.' });

const planVetoSchema: z.ZodType<PlanVeto> = z.object({
  environment: z.string(),
  veto: vetoSchema,
  sentence: z.string().meta({ description: 'Why, and what to do about it.' }),
} satisfies Every<PlanVeto>);

const planFreezeSchema: z.ZodType<PlanFreeze> = z.object({
  freeze: freezeSchema,
  sentence: z.string().meta({ description: 'What is frozen, by whom and why.' }),
} satisfies Every<PlanFreeze>);

export const planSchema: z.ZodType<Plan> = z
  .object({
    service: z.string(),
    version: z.string(),
    commit: z.string(),
    manifestDigest: z.string(),
    configVersion: z.int().nonnegative(),
    from: z.record(z.string(), runningSchema.nullable()),
    steps: z.array(stepSchema),
    changes: z.array(changeSchema),
    configDiff: z.record(z.string(), configDiffSchema.nullable()),
    vetoes: z
      .array(planVetoSchema)
      .exactOptional()
      .meta({ description: 'Where the bundle may not come now; known only of one that was built before.' }),
    freezes: z
      .array(planFreezeSchema)
      .exactOptional()
      .meta({ description: 'What is frozen on the way now; a release would wait there.' }),
    digest: digestSchema,
  } satisfies Every<Plan>)
  .meta({ id: 'Plan', description: 'The steps a release will take; the digest is what people approve.' });

const stepKinds = [
  'build',
  'deploy',
  'test',
  'promote',
  'approve',
  'shift',
  'hold',
  'judge',
  'bake',
  'retire',
  'rollback',
] as const satisfies readonly StepRecord['kind'][];

const stepOutcomes = [
  'waiting',
  'running',
  'done',
  'failed',
  'skipped',
  'undone',
] as const satisfies readonly StepOutcome[];

export const releaseOutcomes = [
  'released',
  'rolled-back',
  'failed',
  'aborted',
] as const satisfies readonly ReleaseOutcome[];

const stepRecordSchema: z.ZodType<StepRecord> = z
  .object({
    id: z.string(),
    kind: z.enum(stepKinds),
    environment: z.string().exactOptional(),
    outcome: z.enum(stepOutcomes),
    startedAt: timestamp.exactOptional(),
    endedAt: timestamp.exactOptional(),
    detail: z.string().exactOptional(),
  } satisfies Every<StepRecord>)
  .meta({ id: 'StepRecord', description: 'What a step did, or is doing.' });

export const waitSchema: z.ZodType<Wait> = z
  .object({
    reason: z.enum(WaitReason),
    sentence: z.string(),
    since: timestamp,
    endedBy: z.string(),
    deadline: timestamp,
    atDeadline: z.string(),
  } satisfies Every<Wait>)
  .meta({ id: 'Wait', description: 'Why nothing moves now, who ends it, and what happens when nobody does.' });

const windowSchema: z.ZodType<RevisionWindow> = z.object({
  requests: z.number(),
  errors: z.number(),
  seconds: z.number(),
} satisfies Every<RevisionWindow>);

const intervalFiguresSchema: z.ZodType<IntervalFigures> = z.object({
  requests: z.number(),
  errors: z.number(),
  seconds: z.number(),
  latencyMs: z.number().nullable(),
} satisfies Every<IntervalFigures>);

export const judgeInputsSchema: z.ZodType<JudgeInputs> = z
  .object({
    policy: judgeSchema,
    canaryShare: percent,
    baselineShare: percent.exactOptional(),
    windowSeconds: seconds,
    intervals: z.array(
      z.object({
        canary: intervalFiguresSchema,
        baseline: intervalFiguresSchema,
        others: intervalFiguresSchema.exactOptional(),
      } satisfies Every<Interval>),
    ),
    latencyMemory: z.object({ canary: z.number(), baseline: z.number() }).exactOptional(),
    timings: z.object({ canary: z.array(z.number()), baseline: z.array(z.number()) }).exactOptional(),
  } satisfies Every<JudgeInputs>)
  .meta({ id: 'JudgeInputs', description: 'Everything a verdict rests on; judged again it gives the same verdict.' });

const estimateSchema: z.ZodType<Estimate> = z
  .object({ value: z.number(), low: z.number().nullable(), high: z.number().nullable() } satisfies Every<Estimate>)
  .meta({
    id: 'Estimate',
    description: 'A figure with the interval that, however often one looks, holds the true one.',
  });

const comparisonSchema: z.ZodType<ErrorComparison> = z
  .object({
    against: z.enum(['baseline', 'baseline-alone', 'baseline-and-others']),
    bayesFactor: z.number().nullable(),
    baselineBayesFactor: z.number().nullable(),
    freshWorseBayesFactor: z.number().nullable(),
  } satisfies Every<ErrorComparison>)
  .meta({ id: 'ErrorComparison', description: 'With whom the canary was compared, and what came of it.' });

export const verdictSchema: z.ZodType<Verdict> = z
  .object({
    result: z.enum(['pass', 'fail', 'inconclusive']),
    rule: z.string(),
    sentence: z.string(),
    sentenceZh: z.string(),
    canary: windowSchema,
    baseline: windowSchema,
    others: windowSchema.nullable(),
    canaryErrorPercent: z.number().nullable(),
    baselineErrorPercent: z.number().nullable(),
    comparison: comparisonSchema.nullable(),
    errorIncrease: estimateSchema.nullable(),
    slowdown: estimateSchema.nullable(),
    p99: estimateSchema.nullable(),
    parameters: z.object({
      ...judgePolicy,
      canaryShare: percent,
      baselineShare: percent.exactOptional(),
      shareTolerancePercent: z.number(),
      wrongPass: z.number(),
      alphaWhereAlike: z.number(),
      freshWorseFrom: z.number(),
    } satisfies Every<JudgeParameters>),
    inputHash: digestSchema,
    judgeVersion: z.number(),
  } satisfies Every<Verdict>)
  .meta({ id: 'Verdict', description: 'What a judge says of a canary, with its evidence.' });

export const commandSchema: z.ZodType<CommandRecord> = z
  .object({
    name: z.enum(['pause', 'resume', 'skipHold', 'skipAnalysis', 'retryStep', 'promoteFully']),
    by: z.string(),
    reason: z.string(),
    about: z.string().exactOptional().meta({ description: 'The step, or the environment, that it is about.' }),
    at: timestamp,
  } satisfies Every<CommandRecord>)
  .meta({ id: 'Command', description: "A person's word to a release that runs." });

export const approvalSchema: z.ZodType<ApprovalRecord> = z
  .object({
    by: z.string(),
    step: z.string(),
    planDigest: digestSchema,
    at: timestamp,
  } satisfies Every<ApprovalRecord>)
  .meta({ id: 'Approval', description: 'Who approved which plan.' });

const rollbackSchema: z.ZodType<RollbackRecord> = z
  .object({
    environment: z.string(),
    reason: z.string(),
    decidedAt: timestamp,
    trafficAt: timestamp.exactOptional(),
    doneAt: timestamp.exactOptional(),
  } satisfies Every<RollbackRecord>)
  .meta({ id: 'Rollback', description: 'A way back: when it was decided, when traffic and when all was restored.' });

const failureSchema: z.ZodType<ReleaseFailure> = z
  .object({
    type: z.string(),
    message: z.string(),
    step: z.string().exactOptional(),
    details: z.unknown().exactOptional(),
  } satisfies Every<ReleaseFailure>)
  .meta({ id: 'Failure', description: 'Why a release did not go through.' });

export const releaseSchema: z.ZodType<ReleaseView> = z
  .object({
    id: z.string(),
    service: z.string(),
    requestedBy: z.string(),
    startedAt: timestamp,
    endedAt: timestamp.exactOptional(),
    outcome: z.enum(releaseOutcomes).exactOptional(),
    version: z.string().exactOptional(),
    commit: z.string().exactOptional(),
    plan: planSchema.exactOptional(),
    bundle: bundleSchema.exactOptional(),
    steps: z.array(stepRecordSchema),
    wait: waitSchema.exactOptional(),
    drift: driftSchema.exactOptional(),
    paused: commandSchema.exactOptional(),
    commands: z.array(commandSchema).exactOptional(),
    approvals: z.array(approvalSchema),
    verdicts: z.array(verdictSchema),
    judged: judgeInputsSchema.exactOptional(),
    rollbacks: z.array(rollbackSchema),
    failure: failureSchema.exactOptional(),
  } satisfies Every<ReleaseView>)
  .meta({ id: 'Release', description: 'Everything about a release; outcome is absent while it runs.' });
