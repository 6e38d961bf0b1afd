/** What a call to Mesos can end with, as failures that a workflow understands. */

import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';
import { mayPass } from '../passing-status.ts';
import { attributesText } from './offer-matching.ts';
import { causeOf } from './thrown.ts';

export interface MesosErrorOptions {
  /** Where, such as `http://127.0.0.1:5050/api/v1`. */
  readonly url: string;
  /** What was asked, such as `scheduler call ACCEPT`. */
  readonly call: string;
  /** HTTP status, if there was an answer. */
  readonly status?: number | undefined;
  /** What it answered, or what went wrong below HTTP. */
  readonly answer: string;
  /** What to do about it. */
  readonly advice?: string | undefined;
  readonly cause?: unknown;
}

/**
 * A call that Mesos did not answer, or answered with an error. Retryable (`SystemUnavailable`) when there was no
 * answer, 5xx, or one of 408/409/423/425/429; else `SystemRefused`, not retryable.
 */
export class MesosError extends ApplicationFailure {
  readonly url: string;
  readonly call: string;
  readonly status: number | undefined;
  readonly answer: string;

  constructor(options: MesosErrorOptions) {
    const { url, call, status, answer } = options;
    const passing = status === undefined || mayPass(status);
    const said = status === undefined ? answer : `status ${status}: ${answer || '(empty body)'}`;
    super(
      `Mesos at ${url}: ${call}: ${said}${options.advice === undefined ? '' : `. ${options.advice}`}`,
      passing ? FailureType.SystemUnavailable : FailureType.SystemRefused,
      !passing,
      [{ system: 'mesos', url, call, status: status ?? null, answer }],
      causeOf(options.cause),
    );
    this.url = url;
    this.call = call;
    this.status = status;
    this.answer = answer;
  }
}

/** Mesos answered something that its contract does not allow. Not retryable. */
export class MesosAnswerError extends ApplicationFailure {
  constructor(options: {
    readonly url: string;
    readonly call: string;
    readonly problem: string;
    readonly cause?: unknown;
  }) {
    super(
      `Mesos at ${options.url}: ${options.call}: unexpected answer: ${options.problem}. Check that the address is a Mesos 1.x master or agent`,
      FailureType.UnexpectedAnswer,
      true,
      [{ system: 'mesos', url: options.url, call: options.call }],
      causeOf(options.cause),
    );
  }
}

/** No agent made an offer that fits before the deadline. Retryable: capacity may come. */
export class NoFittingOfferError extends ApplicationFailure {
  /** Per agent that offered: its attributes and why it did not fit. */
  readonly offers: readonly string[];

  constructor(
    master: string,
    attributes: Readonly<Record<string, string>>,
    offers: readonly string[],
    waitedMs: number,
  ) {
    const asked = attributesText(attributes) || 'any attributes';
    const seen = offers.length === 0 ? 'no agent offered anything' : offers.join('; ');
    super(
      `Mesos at ${master}: no offer fitted within ${waitedMs / 1000} s. Asked for ${asked}; ${seen}. ` +
        'Free resources there or start agents with these attributes',
      FailureType.CapacityExhausted,
      false,
      [{ system: 'mesos', asked, offers: [...offers] }],
    );
    this.offers = offers;
  }
}
