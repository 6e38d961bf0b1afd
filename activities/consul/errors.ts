import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';
import { mayPass } from '../passing-status.ts';

/** The failure for an answer that is not 2xx. Consul writes its reason as plain text. */
export function answerFailure(url: string, call: string, status: number, text: string): ApplicationFailure {
  const start = `Consul ${url}: ${call} answered ${status}: ${excerpt(text)}`;
  if (mayPass(status)) {
    // Without a leader every write and consistent read is a 500; it passes once one is elected.
    return ApplicationFailure.create({ type: FailureType.SystemUnavailable, message: start });
  }
  const advice = status === 401 || status === 403 ? '; check the token and its policies' : '';
  return ApplicationFailure.create({
    type: FailureType.SystemRefused,
    nonRetryable: true,
    message: `${start}${advice}`,
    details: [{ status }],
  });
}

/** The failure for a call that got no answer: refused, reset or timed out. */
export function networkFailure(url: string, call: string, reason: string, cause: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.SystemUnavailable,
    message: `Consul ${url}: ${call} got no answer (${reason}); check that the agent runs and can be reached from here`,
    ...(cause instanceof Error ? { cause } : {}),
  });
}

/** The failure for an answer that Consul's API does not promise. */
export function unexpectedAnswer(url: string, call: string, text: string, what: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.UnexpectedAnswer,
    nonRetryable: true,
    message: `Consul ${url}: the answer to ${call} ${what}: ${excerpt(text)}. Is this a Consul agent?`,
  });
}

/** The failure for something that must not be sent at all. */
export function requestInvalid(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: FailureType.RequestInvalid, nonRetryable: true, message });
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}...` : line || '(empty)';
}
