/** `slipway.yaml`: from the text that people write to a `Manifest`. */
import { z } from 'zod';
import type { InputError } from '../failures.ts';
import type { JudgePolicy, Manifest } from '../manifest.ts';
import { firstErrors, parseInput } from './input-errors.ts';
import { judgeSchema, toJudgePolicy, toReleaseSpec } from './manifest-release.ts';
import { manifestRuleErrors } from './manifest-rules.ts';
import { manifestSchema } from './manifest-shape.ts';
import { readYaml } from './yaml-document.ts';

/** A longer text is refused unread. */
export const MOST_MANIFEST_BYTES = 256 * 1024;

export type ManifestReading =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly errors: InputError[] };

/**
 * Reads the text of a `slipway.yaml`. Every mistake is in the answer at once (of more than a hundred, the first hundred),
 * with its path in the document; those of the YAML syntax come alone, with line and column. Text above 256 KB is
 * refused unread.
 */
export function parseManifest(text: string): ManifestReading {
  const reading = readYaml(text, MOST_MANIFEST_BYTES);
  if (!reading.ok) return { ok: false, errors: firstErrors(reading.errors) };
  const parsed = parseInput(manifestSchema, reading.document, manifestJsonSchema);
  const errors = [...parsed.errors, ...manifestRuleErrors(reading.document)];
  if (parsed.data === undefined || errors.length > 0) return { ok: false, errors: firstErrors(errors) };
  return { ok: true, manifest: toManifest(parsed.data) };
}

/** JSON Schema (draft 2020-12) of the text as people write it, for editors. Rules between fields are not in it. */
export function manifestJsonSchema(): z.core.JSONSchema.BaseSchema {
  return { title: 'slipway.yaml', ...z.toJSONSchema(manifestSchema, { io: 'input' }) };
}

export type PolicyReading =
  | { readonly ok: true; readonly policy: JudgePolicy }
  | { readonly ok: false; readonly errors: InputError[] };

/** Reads a policy of the judge alone, in the words of an entry of `release.metrics`; what it leaves out has its default. */
export function parseJudgePolicy(text: string): PolicyReading {
  const reading = readYaml(text, MOST_MANIFEST_BYTES);
  if (!reading.ok) return { ok: false, errors: firstErrors(reading.errors) };
  const { data, errors } = parseInput(judgeSchema, reading.document, () =>
    z.toJSONSchema(judgeSchema, { io: 'input' }),
  );
  if (data === undefined || errors.length > 0) return { ok: false, errors: firstErrors(errors) };
  return { ok: true, policy: toJudgePolicy(data) };
}

function toManifest(written: z.output<typeof manifestSchema>): Manifest {
  const { build, run, release, scale } = written;
  return {
    slipway: written.slipway,
    service: written.service,
    version: written.version,
    build: {
      pipeline: build.pipeline,
      dockerfile: build.dockerfile,
      context: build.context,
      timeoutSeconds: build.timeout,
    },
    run: {
      cpus: run.cpus,
      memoryMiB: run.memory,
      healthPath: run.health,
      startSeconds: run.start,
      env: run.env,
    },
    environments: Object.entries(written.environments).map(([name, { instances, env }]) => ({ name, instances, env })),
    tests: Object.entries(written.tests).map(([name, test]) => ({
      name,
      dockerfile: test.dockerfile,
      environments: test.environments,
      timeoutSeconds: test.timeout,
    })),
    release: toReleaseSpec(release),
    ...(scale && {
      scale: {
        min: scale.min,
        max: scale.max,
        requestsPerSecondPerInstance: scale.requestsPerSecondPerInstance,
        downAfterSeconds: scale.downAfter,
      },
    }),
    retention: { keepReleases: written.retention.keepReleases },
  };
}
