import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';
import { mayPass } from '../passing-status.ts';
import { ErrorBodySchema } from './types.ts';

/** What Marathon said when it refused, as `details` of the failure. */
export interface RefusalDetails {
  readonly status: number;
  readonly message: string;
  readonly details?: unknown;
  /** Ids of the deployments that lock the app; only with 409. */
  readonly deployments?: readonly string[];
}

/** The failure for an answer that is not 2xx. */
export function answerFailure(url: string, call: string, status: number, text: string): ApplicationFailure {
  const body = errorBody(text);
  const said = body?.message ?? excerpt(text);
  const deployments = body?.deployments?.map((deployment) => deployment.id);
  const details: RefusalDetails = {
    status,
    message: said,
    ...(body?.details === undefined ? {} : { details: body.details }),
    ...(deployments ? { deployments } : {}),
  };
  const start = `Marathon ${url}: ${call} answered ${status}`;
  if (status === 409 && deployments) {
    return ApplicationFailure.create({
      type: FailureType.SystemUnavailable,
      message: `${start}: locked by deployment ${deployments.join(', ') || '(unnamed)'}; it is tried again`,
      details: [details],
    });
  }
  // A 409 without deployments is a conflict that stays.
  if (status !== 409 && mayPass(status)) {
    return ApplicationFailure.create({
      type: FailureType.SystemUnavailable,
      message: `${start}: ${said}. The change may have been made all the same`,
      details: [details],
    });
  }
  if (status < 400) return unexpectedAnswer(url, call, status, text, 'is a redirect; point `url` at Marathon itself');
  const advice = status === 401 || status === 403 ? '; check the credentials' : '';
  const reasons = body?.details === undefined ? '' : ` ${JSON.stringify(body.details)}`;
  return ApplicationFailure.create({
    type: FailureType.SystemRefused,
    nonRetryable: true,
    message: `${start}: ${said}${reasons}${advice}`,
    details: [details],
  });
}

/** The failure for a call that got no answer: refused, reset or timed out. */
export function networkFailure(url: string, call: string, reason: string, cause: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.SystemUnavailable,
    message: `Marathon ${url}: ${call} got no answer (${reason}); check that it runs and can be reached from here`,
    ...(cause instanceof Error ? { cause } : {}),
  });
}

/** The failure for an answer that Marathon's contract does not allow. */
export function unexpectedAnswer(
  url: string,
  call: string,
  status: number,
  text: string,
  what: string,
): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.UnexpectedAnswer,
    nonRetryable: true,
    message: `Marathon ${url}: the answer ${status} to ${call} ${what}: ${excerpt(text)}. Is this a Marathon?`,
  });
}

/** The deployments that lock an app, when that is what the failure says. */
export function lockingDeployments(error: unknown): readonly string[] | undefined {
  if (!(error instanceof ApplicationFailure)) return undefined;
  const details = error.details?.[0];
  if (typeof details !== 'object' || details === null || !('deployments' in details)) return undefined;
  return Array.isArray(details.deployments) ? details.deployments.filter((id) => typeof id === 'string') : undefined;
}

function errorBody(text: string) {
  try {
    return ErrorBodySchema.safeParse(JSON.parse(text)).data;
  } catch {
    // Not JSON: a proxy's page or nothing. The caller shows the text itself.
    return undefined;
  }
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}...` : line || '(empty)';
}
