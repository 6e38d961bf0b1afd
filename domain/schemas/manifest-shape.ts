/** The form of `slipway.yaml` as people write it; its output has every default filled in and every quantity in one unit. */
import { z } from 'zod';
import { releaseSchema } from './manifest-release.ts';
import { bounds, DAY, dnsLabel, instanceCount, MOST_ENVIRONMENTS, wholeNumber } from './manifest-values.ts';
import { duration, memory } from './quantities.ts';

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

const MOST_TESTS = 100;

const testSchema = z.strictObject({
  dockerfile: pathInRepository,
  environments: z
    .array(dnsLabel)
    .min(1, { error: 'must name at least one environment' })
    .max(MOST_ENVIRONMENTS, { error: `must name at most ${MOST_ENVIRONMENTS} environments` }),
  timeout: duration(1, DAY).prefault('10m').meta({ description: 'Longest time for which the container runs.' }),
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
    .refine((environments) => Object.keys(environments).length <= MOST_ENVIRONMENTS, {
      error: `must name at most ${MOST_ENVIRONMENTS} environments`,
    })
    .meta({
      description: 'In the order in which a release visits them; the last is the end of the way.',
      minProperties: 1,
      maxProperties: MOST_ENVIRONMENTS,
    }),
  tests: z
    .record(dnsLabel, testSchema)
    .refine((tests) => Object.keys(tests).length <= MOST_TESTS, { error: `must be at most ${MOST_TESTS}` })
    .meta({ maxProperties: MOST_TESTS })
    .prefault({}),
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
