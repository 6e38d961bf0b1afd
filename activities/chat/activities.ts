import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { digestOf } from '../../domain/digest.ts';
import { FailureType } from '../../domain/failures.ts';
import { signMessage, WebhookHeader } from '../../domain/standard-webhooks.ts';
import { fetchFailureReason } from '../fetch-failure.ts';
import { mayPass } from '../passing-status.ts';

/** One receiver of notifications. */
export interface ChatTarget {
  readonly url: string;
  /** Standard Webhooks signing secret. */
  readonly secret: string;
}

export interface Notice {
  /** Stable word for what happened, such as `approval` or `ended`. */
  readonly kind: string;
  /** Id of the release. */
  readonly release: string;
  /** The same sentence in both languages. */
  readonly text: { readonly en: string; readonly zh: string };
}

/** The activities on chat. */
export type ChatActivities = ReturnType<typeof createChatActivities>;

/** One receiver has so long to answer. */
const TIMEOUT_MS = 5_000;

/** Activities that tell people, by webhooks signed as https://www.standardwebhooks.com says. */
export function createChatActivities({ outbound }: { readonly outbound: readonly ChatTarget[] }) {
  return {
    /**
     * Posts `{ kind, release, text: { en, zh }, at }` to every receiver at once; `at` is ISO 8601. The message id is the same in
     * every attempt, so a receiver that had it already can tell. Fails when any receiver did not take it: with
     * `SystemUnavailable` while trying again may help, else with `SystemRefused`; details hold each one that failed.
     */
    async notify({ kind, release, text }: Notice): Promise<{ readonly delivered: number }> {
      const { info, cancellationSignal } = Context.current();
      const { workflowExecution, activityId, scheduledTimestampMs } = info;
      const message = {
        id: `msg_${digestOf([workflowExecution, activityId]).slice('sha256:'.length, 'sha256:'.length + 32)}`,
        body: Buffer.from(JSON.stringify({ kind, release, text, at: new Date(scheduledTimestampMs).toISOString() })),
      };
      const results = await Promise.all(outbound.map((target) => deliver(target, message, cancellationSignal)));
      cancellationSignal.throwIfAborted();
      const failed = results.filter((result) => result !== undefined);
      if (failed.length > 0) throw undelivered(failed, outbound.length);
      return { delivered: outbound.length };
    },
  };
}

interface Undelivered {
  /** Where, without path and query: many chat systems keep their key there. */
  readonly receiver: string;
  readonly answer: string;
  readonly passing: boolean;
  /** What the receiver asked for, seconds. */
  readonly retryAfter?: number;
}

/** Undefined when the receiver took the message. */
async function deliver(
  { url, secret }: ChatTarget,
  { id, body }: { readonly id: string; readonly body: Buffer<ArrayBuffer> },
  cancelled: AbortSignal,
): Promise<Undelivered | undefined> {
  const receiver = new URL(url).origin;
  const timestamp = String(Math.floor(Date.now() / 1000));
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        [WebhookHeader.Id]: id,
        [WebhookHeader.Timestamp]: timestamp,
        [WebhookHeader.Signature]: signMessage(secret, { id, timestamp, body }),
      },
      body,
      // A signed message goes where it was meant to, nowhere else.
      redirect: 'manual',
      signal: AbortSignal.any([timeout, cancelled]),
    });
    const answer = (await response.text()).slice(0, 200);
    if (response.ok) return undefined;
    const passing = mayPass(response.status);
    const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
    return {
      receiver,
      answer: `status ${response.status}: ${answer || '(empty body)'}`,
      passing,
      ...(Number.isFinite(retryAfter) && retryAfter > 0 ? { retryAfter } : {}),
    };
  } catch (error) {
    const answer = timeout.aborted ? `no answer within ${TIMEOUT_MS} ms` : fetchFailureReason(error);
    return { receiver, answer, passing: true };
  }
}

function undelivered(failed: readonly Undelivered[], of: number): ApplicationFailure {
  const passing = failed.some((each) => each.passing);
  const told = failed.map(({ receiver, answer }) => `${receiver}: ${answer}`).join('; ');
  const longest = Math.max(0, ...failed.map(({ retryAfter }) => retryAfter ?? 0));
  return ApplicationFailure.create({
    type: passing ? FailureType.SystemUnavailable : FailureType.SystemRefused,
    nonRetryable: !passing,
    message: `chat: ${failed.length} of ${of} receivers did not take the message: ${told}. Check the url and secret under chat.outbound`,
    details: [failed],
    ...(passing && longest > 0 ? { nextRetryDelay: longest * 1000 } : {}),
  });
}
