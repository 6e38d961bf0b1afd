/** What a call to a registry can end with, as failures that a workflow understands. */
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { FailureType } from '../../domain/failures.ts';
import { fetchFailureReason } from '../fetch-failure.ts';
import { mayPass } from '../passing-status.ts';

/** The error body of the distribution specification. */
const errorBody = z.object({
  errors: z.array(z.object({ code: z.string().optional(), message: z.string().optional() })),
});

/** What the registry said when it refused, as `details` of the failure. */
export interface RegistryRefusal {
  readonly system: 'registry';
  readonly url: string;
  readonly call: string;
  readonly status: number;
  /** Codes of the specification, such as `MANIFEST_UNKNOWN`. */
  readonly codes: readonly string[];
}

/**
 * The failure for an answer that is not what was asked for: `SystemUnavailable`, retryable, for 5xx, passing 4xx and
 * a registry that is read-only; else `SystemRefused`.
 */
export function answerFailure(url: string, call: string, status: number, text: string): ApplicationFailure {
  const errors = readErrors(text);
  const codes = errors.flatMap((error) => (error.code === undefined ? [] : [error.code]));
  const said = errors.map((error) => [error.code, error.message].filter(Boolean).join(' ')).join('; ') || excerpt(text);
  const readOnly = isReadOnly(status, codes);
  const passing = mayPass(status) || readOnly;
  const details: RegistryRefusal = { system: 'registry', url, call, status, codes };
  return ApplicationFailure.create({
    type: passing ? FailureType.SystemUnavailable : FailureType.SystemRefused,
    nonRetryable: !passing,
    message: `registry ${url}: ${call} answered ${status}: ${said}${advice(status, codes, readOnly)}`,
    details: [details],
  });
}

/** The failure for a call that got no answer, or not all of it. */
export function networkFailure(url: string, call: string, cause: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.SystemUnavailable,
    message: `registry ${url}: ${call} got no answer (${fetchFailureReason(cause)}); check that it runs and can be reached from here`,
    ...(cause instanceof Error ? { cause } : {}),
  });
}

/** The failure for an answer that the specification does not allow. */
export function unexpectedAnswer(url: string, call: string, problem: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.UnexpectedAnswer,
    nonRetryable: true,
    message: `registry ${url}: the answer to ${call} ${problem}. Is this a Docker Registry v2?`,
  });
}

/** The failure for an image that has to be there. */
export function imageMissing(url: string, reference: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.ImageMissing,
    nonRetryable: true,
    message: `registry ${url}: there is no image ${reference}; it was never pushed or has been deleted`,
  });
}

/** A registry in read-only mode has no PUT, POST and DELETE, so it answers 405 without an error code of its own. */
function isReadOnly(status: number, codes: readonly string[]): boolean {
  return status === 405 && codes.length === 0;
}

/** True for the answer of a registry whose configuration does not allow deletions. */
function forbidsDeletion(status: number, codes: readonly string[]): boolean {
  return status === 405 && codes.includes('UNSUPPORTED');
}

function advice(status: number, codes: readonly string[], readOnly: boolean): string {
  if (readOnly) return '. It is read-only, which it is while it collects garbage; it is tried again';
  if (forbidsDeletion(status, codes)) return '. Set storage.delete.enabled in its configuration';
  return status === 401 || status === 403 ? '. Check the credentials and what they may do' : '';
}

function readErrors(text: string) {
  try {
    return errorBody.safeParse(JSON.parse(text)).data?.errors ?? [];
  } catch {
    // Not JSON: the page of a proxy, or nothing. The caller shows the text itself.
    return [];
  }
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}...` : line || '(empty)';
}
