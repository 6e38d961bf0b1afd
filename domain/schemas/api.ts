/** What goes over HTTP besides releases themselves: orders, lists, lanes, problems. Shared by API and command line. */
import { z } from 'zod';
import type { AuditBreak, AuditReport } from '../audit.ts';
import { FailureType, type InputError } from '../failures.ts';
import type { LaneState, ScaleBounds } from '../lane.ts';
import { driftSchema } from './drift.ts';
import { bundleSchema, digestSchema, releaseOutcomes, waitSchema } from './release.ts';
import { bundleIdSchema, vetoSchema } from './veto.ts';

const DNS_LABEL = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
const nameSchema = z.string().regex(DNS_LABEL, 'write lower-case letters, digits and inner hyphens');

const serviceNameSchema = nameSchema.meta({ description: 'Name of a configured service.' });
const environmentNameSchema = nameSchema.meta({ description: 'Name of a configured environment.' });

/** The idempotency key becomes the last part of the release's id, so it must fit into a path. */
export const releaseKeySchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'write 1 to 128 letters, digits, dots, underscores or hyphens')
  .meta({ description: 'The same key is the same release, however often it is asked for.' });

export const releasePathSchema = z.object({ service: serviceNameSchema, key: releaseKeySchema });

export const lanePathSchema = z.object({ environment: environmentNameSchema, service: serviceNameSchema });

/** `service/key`, as people write it; the workflow id `release/service/key` is taken too. */
export function parseReleaseName(text: string): { readonly service: string; readonly key: string } | undefined {
  const [, service, key, ...rest] = `/${text.replace(/^release\//, '')}`.split('/');
  const parsed = releasePathSchema.safeParse({ service, key });
  return parsed.success && rest.length === 0 ? parsed.data : undefined;
}

/** What `git rev-parse` may be given: no option, no range, no path. */
const REF = /^(?!-)(?!.*\.\.)[^\s:?*[\\^~]+$/;

export const orderSchema = z
  .strictObject({
    service: serviceNameSchema,
    ref: z
      .string()
      .max(250)
      .regex(REF, 'write a branch, a tag or a commit')
      .exactOptional()
      .meta({ description: "Branch, tag or commit of the service's repository." }),
    bundle: bundleSchema.exactOptional(),
    until: environmentNameSchema.exactOptional().meta({ description: 'The last environment of the way.' }),
    configVersion: z.int().nonnegative().exactOptional().meta({ description: 'Version in the config centre.' }),
    whenBusy: z.enum(['wait', 'refuse', 'supersede']).default('wait').meta({
      description:
        'What to do while a lane is held: wait, be refused, or take the place of all that wait, and of the holder if it has changed nothing yet.',
    }),
  })
  .refine((order) => (order.ref === undefined) !== (order.bundle === undefined), {
    error: 'write either ref or bundle',
    path: ['ref'],
    // Also when other fields are wrong, so that every error shows at once.
    when: ({ value }) => typeof value === 'object' && value !== null,
  })
  .meta({ id: 'Order', description: 'What to release: a git reference, or a bundle that was built before.' });

export type Order = z.output<typeof orderSchema>;

export const approvalOrderSchema = z
  .strictObject({
    planDigest: digestSchema,
    step: z
      .string()
      .min(1)
      .max(200)
      .exactOptional()
      .meta({ description: 'The approve step that was looked at; by default the one that waits.' }),
  })
  .meta({ id: 'ApprovalOrder', description: 'The digest of the plan that was looked at.' });

const reason = z.string().trim().min(1, 'write why').max(1000);

export const reasonSchema = z.strictObject({ reason }).meta({ id: 'Reason', description: 'Why; it is recorded.' });

export const rollbackOrderSchema = z
  .strictObject({
    reason,
    environment: environmentNameSchema
      .exactOptional()
      .meta({ description: 'Where to go back, once the release has ended; by default where it ended.' }),
    to: bundleIdSchema
      .exactOptional()
      .meta({ description: 'Bundle to go back to, once the release has ended; by default the newest before it.' }),
  })
  .meta({ id: 'RollbackOrder', description: 'Why, and where.' });

export const acceptedSchema = z
  .object({ id: z.string(), location: z.string() })
  .meta({ id: 'Accepted', description: 'The command was taken; the release at `location` carries it out.' });

const timestamp = z.iso.datetime({ offset: true });

export const releaseSummarySchema = z
  .object({
    id: z.string(),
    service: z.string(),
    key: z.string(),
    kind: z.enum(['release', 'rollback']),
    startedAt: timestamp,
    endedAt: timestamp.exactOptional(),
    outcome: z.enum(releaseOutcomes).exactOptional(),
    stage: z.string().exactOptional().meta({ description: 'The step that runs, or ran last.' }),
    environment: z.string().exactOptional(),
  })
  .meta({ id: 'ReleaseSummary', description: 'One line of a list, as the search index knows it.' });

export type ReleaseSummary = z.output<typeof releaseSummarySchema>;

export const releaseListSchema = z
  .object({
    releases: z.array(releaseSummarySchema),
    more: z.boolean().meta({ description: 'True when there are more than the limit.' }),
  })
  .meta({ id: 'ReleaseList', description: 'Those that run first, then those that ended last.' });

export const releaseFilterSchema = z.object({
  service: serviceNameSchema.exactOptional(),
  outcome: z
    .enum([...releaseOutcomes, 'running'])
    .exactOptional()
    .meta({ description: 'How it ended; `running` for those that have not.' }),
  stage: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, 'write the id of a step')
    .exactOptional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export type ReleaseFilter = z.output<typeof releaseFilterSchema>;

const laneRevisionSchema = z.object({ revision: z.string(), instances: z.int().nonnegative(), bundle: bundleSchema });

const boundsSchema: z.ZodType<ScaleBounds> = z.object({
  min: z.number(),
  max: z.number(),
  requestsPerSecondPerInstance: z.number(),
  downAfterSeconds: z.number(),
} satisfies Record<keyof ScaleBounds, z.ZodType>);

export const laneSchema = z
  .object({
    state: z.object({
      environment: z.string(),
      service: z.string(),
      lastRevision: z.int().nonnegative().meta({ description: '0 before the first release.' }),
      current: laneRevisionSchema.exactOptional(),
      previous: laneRevisionSchema.exactOptional().meta({ description: 'What a rollback goes back to.' }),
      bounds: boundsSchema.exactOptional(),
      weights: z
        .record(z.string(), z.number())
        .exactOptional()
        .meta({ description: 'Percent of traffic by revision, as wanted.' }),
      configVersion: z
        .int()
        .nonnegative()
        .exactOptional()
        .meta({ description: 'Version that the config centre is to point to; 0 for none.' }),
      earlier: z
        .array(laneRevisionSchema)
        .exactOptional()
        .meta({ description: 'What can be gone back to, newest first.' }),
      tolerated: z
        .array(z.string())
        .exactOptional()
        .meta({ description: 'Hand-made changes that were adopted and that nothing else here says.' }),
      vetoes: z
        .array(vetoSchema)
        .exactOptional()
        .meta({ description: 'Bundles that were rolled back here and may not come again.' }),
    } satisfies Record<keyof LaneState, z.ZodType>),
    holder: z.string().exactOptional().meta({ description: 'The release that holds the lane.' }),
    queue: z.array(z.string()).meta({ description: 'The releases that wait for it, in order.' }),
    wait: waitSchema.exactOptional(),
    drift: driftSchema.exactOptional(),
  })
  .meta({ id: 'Lane', description: 'One service in one environment.' });

export type Lane = z.output<typeof laneSchema>;

export const laneFilterSchema = z.object({
  service: serviceNameSchema.exactOptional(),
  environment: environmentNameSchema.exactOptional(),
});

export const laneListSchema = z.object({ lanes: z.array(laneSchema) }).meta({ id: 'LaneList' });

export const auditReportSchema: z.ZodType<AuditReport> = z
  .object({
    rows: z.int().nonnegative().meta({ description: 'Rows that hold, from the first on.' }),
    hash: z.string().meta({ description: 'Hash of the last of them.' }),
    broken: z
      .object({ number: z.int(), reason: z.string() } satisfies Record<keyof AuditBreak, z.ZodType>)
      .exactOptional()
      .meta({ description: 'The first row that does not hold; absent when all do.' }),
  } satisfies Record<keyof AuditReport, z.ZodType>)
  .meta({ id: 'AuditReport', description: 'What a walk along the whole audit found.' });

/** Problems of HTTP itself, beside the failures that every part of Slipway shares. */
export const HttpFailure = {
  /** The idempotency key was used before, for another order. */
  IdempotencyKeyReused: 'IdempotencyKeyReused',
  UnknownRoute: 'UnknownRoute',
  BodyTooLarge: 'BodyTooLarge',
  UnsupportedMediaType: 'UnsupportedMediaType',
} as const;

export type ProblemCode = FailureType | (typeof HttpFailure)[keyof typeof HttpFailure];

const problemCodes: readonly ProblemCode[] = [...Object.values(FailureType), ...Object.values(HttpFailure)];

const inputErrorSchema: z.ZodType<InputError> = z.object({
  path: z.string(),
  message: z.string(),
} satisfies Record<keyof InputError, z.ZodType>);

export const inputErrorsSchema = z.array(inputErrorSchema);

export const problemSchema = z
  .object({
    type: z.string().meta({ description: '`urn:slipway:problem:` and the code.' }),
    title: z.string().meta({ description: 'In English, or Chinese when Accept-Language prefers it.' }),
    status: z.int(),
    detail: z.string(),
    instance: z.string().meta({ description: 'The path that was asked.' }),
    code: z.enum(problemCodes).meta({ description: 'Stable name of the failure.' }),
    requestId: z.string().meta({ description: 'Finds the request in the logs.' }),
    errors: inputErrorsSchema
      .exactOptional()
      .meta({ description: 'Everything wrong in what was sent, each with its path.' }),
  })
  .meta({ id: 'Problem', description: 'Problem document of RFC 9457.' });

export type ProblemDocument = z.output<typeof problemSchema>;
