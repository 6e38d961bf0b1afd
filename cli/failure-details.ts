import { z } from 'zod';
import type { ReleaseFailure } from '../domain/release.ts';
import { inputErrorsSchema } from '../domain/schemas/api.ts';

/** The end of the log of what failed: a stage of a build, or a test container that left no report. */
const logSchema = z.object({ logTail: z.string() });
/** Test suites with failures. */
const suitesSchema = z.array(
  z.object({
    name: z.string(),
    cases: z.array(z.object({ name: z.string(), outcome: z.string(), message: z.string().optional() })),
  }),
);

/**
 * What a failure knows beside its message, a line each: every error of a manifest with its path, every test that
 * failed with its message, the end of a log. Empty for details of another kind, and without any. Pure.
 */
export function failureDetails({ details }: ReleaseFailure): string[] {
  const [first]: unknown[] = Array.isArray(details) ? details : [];
  const errors = inputErrorsSchema.safeParse(first);
  if (errors.success) return errors.data.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const log = logSchema.safeParse(first);
  if (log.success) return log.data.logTail.trimEnd().split('\n');
  return (suitesSchema.safeParse(first).data ?? []).flatMap(({ name: suite, cases }) =>
    cases
      .filter(({ outcome }) => outcome === 'failed')
      .flatMap(({ name, message }) => `${suite}: ${name}${message === undefined ? '' : `: ${message}`}`.split('\n')),
  );
}
