/** The form of `slipway.yaml` as people write it; its output has every default filled in and every quantity in one unit. */
import { z } from 'zod';
import { duration, memory, milliseconds, percent } from './quantities.ts';

const DAY = 24 * 3600;

/** RFC 1035 label: it becomes part of DNS names, Marathon ids and registry paths. */
export const dnsLabel = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, {
    error: 'must be a DNS label: lower-case letters, digits and -, at most 63, a letter first and no - last',
  })
  .meta({ description: 'A DNS label.' });

/** Semantic version without build metadata, which a registry tag can't hold. */
const version = z
  .string({
    error: (issue) => (isScalar(issue.input) ? 'must be text of three numbers, such as 1.4.0' : undefined),
  })
  .max(100)
  .regex(/^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/, {
    error: 'must be a version such as 1.4.0 or 1.4.0-rc.1, without a leading v and without +build',
  });

const pathInRepository = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^(?!\/)(?!(.*\/)?\.\.(\/|$))[^\\\p{Cc}]+$/u, { error: 'must be a path inside the repository, without ..' });

const wholeNumber = (least: number, most: number) =>
  z.int().min(least, bounds(least, most)).max(most, bounds(least, most));
const bounds = (least: number, most: number) => ({ error: `must be between ${least} and ${most}` });

/** Instances of one service that anybody may ask for. */
export const instanceCount = wholeNumber(1, 10_000);

const variables = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'must be a variable name: letters, digits and _' }),
  z.string({ error: (issue) => (isScalar(issue.input) ? 'must be text; put it in quotes' : undefined) }).max(32_768),
);

const isScalar = (value: unknown): value is number | boolean => typeof value === 'number' || typeof value === 'boolean';

const buildSchema = z.strictObject({
  pipeline: z.enum(['node', 'docker']).default('docker').meta({ description: "Which language's pipeline runs." }),
  dockerfile: pathInRepository.default('Dockerfile'),
  context: pathInRepository.default('.'),
  timeout: duration(1, DAY).prefault('30m').meta({ description: 'Longest time for the whole build.' }),
});

const runSchema = z.strictObject({
  cpus: z.number().min(0.01, bounds(0.01, 256)).max(256, bounds(0.01, 256)).default(0.1),
  memory: memory(8, 1024 * 1024).prefault('128MiB'),
  health: z
    .string()
    .max(1024)
    .regex(/^\/[\x21-\x7e]*$/, { error: 'must be an HTTP path such as /healthz' })
    .default('/healthz')
    .meta({ description: 'HTTP path that answers 2xx when the instance can serve.' }),
  start: duration(1, 3600).prefault('60s').meta({ description: 'Longest time from start to healthy.' }),
  env: variables.prefault({}).meta({ description: 'Environment variables in every environment.' }),
});

const environmentSchema = z.strictObject({
  instances: instanceCount.default(1),
  env: variables
    .prefault({})
    .meta({ description: 'Environment variables of this environment; they win over run.env.' }),
});

const testSchema = z.strictObject({
  dockerfile: pathInRepository,
  environments: z.array(dnsLabel).min(1, { error: 'must name at least one environment' }),
  timeout: duration(1, DAY).prefault('10m'),
});

/** What a judge allows, as `release.canary.judge` says it. */
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
    .default(0.01)
    .meta({ description: 'Chance of a false alarm of the comparison with the old revision.' }),
});

/** A canary has some of the traffic and never all of it. */
export const canaryWeightSchema = percent()
  .refine((weight) => weight > 0 && weight < 100, {
    error: 'must be above 0% and below 100%',
  })
  .prefault('5%')
  .meta({ description: 'Share of traffic.' });

const canarySchema = z.strictObject({
  instances: instanceCount.default(1),
  weight: canaryWeightSchema,
  hold: duration(1, DAY)
    .prefault('10m')
    .meta({ description: 'How long figures are collected before the judge speaks.' }),
  judge: judgeSchema.prefault({}),
});

/** Rising shares, the last 100 %. */
export const batchesSchema = z
  .array(percent())
  .min(1, { error: 'must hold at least 100%' })
  .prefault(['50%', '100%'])
  .meta({ description: 'Share of instances and traffic on the new revision after each batch; the last is 100%.' });

const releaseSchema = z.strictObject({
  canary: canarySchema.prefault({}),
  batches: batchesSchema,
  bake: duration(0, 7 * DAY)
    .prefault('10m')
    .meta({ description: 'How long the old revision stays warm after the last batch.' }),
  approvals: z
    .strictObject({
      count: wholeNumber(0, 20).default(1).meta({ description: 'How many different people, the requester excluded.' }),
      expires: duration(1, 30 * DAY).prefault('24h'),
    })
    .prefault({}),
});

const scaleSchema = z.strictObject({
  min: instanceCount,
  max: instanceCount,
  requestsPerSecondPerInstance: z
    .number()
    .gt(0, { error: 'must be above 0' })
    .max(1_000_000, { error: 'must be at most 1000000' })
    .meta({ description: 'Business load: requests a second that one instance should carry.' }),
  downAfter: duration(0, DAY)
    .prefault('5m')
    .meta({ description: 'How long a smaller wish must hold before instances go.' }),
});

/** The whole document; rules between its fields are in `manifest-rules.ts`. */
export const manifestSchema = z.strictObject({
  slipway: z.literal('v1').meta({ description: 'Version of this format.' }),
  service: dnsLabel,
  version: version.meta({ description: "The service's own version; its release tag is v<version>." }),
  build: buildSchema.prefault({}),
  run: runSchema.prefault({}),
  environments: z
    .record(dnsLabel, environmentSchema)
    .refine((environments) => Object.keys(environments).length > 0, { error: 'must name at least one environment' })
    .meta({ description: 'In the order in which a release visits them; the last is the end of the way.' }),
  tests: z.record(dnsLabel, testSchema).prefault({}),
  release: releaseSchema.prefault({}),
  scale: scaleSchema.optional(),
  retention: z
    .strictObject({
      keepReleases: wholeNumber(1, 10_000)
        .default(10)
        .meta({ description: 'How many of the newest release tags stay.' }),
    })
    .prefault({}),
});
