import {
  isGrpcServiceError,
  ServiceError,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import {
  ApplicationFailure,
  NamespaceNotFoundError,
  TemporalFailure,
  TimeoutFailure,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { FailureType, type InputError } from '../domain/failures.ts';
import { HttpFailure, inputErrorsSchema, type ProblemCode, type ProblemDocument } from '../domain/schemas/api.ts';
import { type Language, PROBLEM_KINDS, problemCode } from './problem-titles.ts';

/** An answer that is not the one that was asked for; thrown anywhere in a request, answered as a problem document. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly errors: readonly InputError[] | undefined;

  constructor(
    code: ProblemCode,
    detail: string,
    options: { readonly errors?: readonly InputError[] | undefined; readonly cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.errors = options.errors;
  }

  get status(): number {
    return PROBLEM_KINDS[this.code].status;
  }
}

/** The problem document of RFC 9457. What is wrong inside Slipway stays in the logs, under the request's id. */
export function problemDocument(
  problem: Problem,
  request: { readonly path: string; readonly id: string; readonly language: Language },
): ProblemDocument {
  const kind = PROBLEM_KINDS[problem.code];
  return {
    type: `urn:slipway:problem:${problem.code}`,
    title: kind.title[request.language],
    status: kind.status,
    detail: problem.message,
    instance: request.path,
    code: problem.code,
    requestId: request.id,
    ...(problem.errors === undefined ? {} : { errors: [...problem.errors] }),
  };
}

/** Any error of a request as a problem: one of ours, of the schemas, of Fastify, of Temporal; else `Internal`. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return schemaProblem(error) ?? temporalProblem(error) ?? httpProblem(error) ?? internal(error);
}

function schemaProblem(error: unknown): Problem | undefined {
  if (!hasZodFastifySchemaValidationErrors(error)) return undefined;
  const where = error.validationContext === 'body' || !error.validationContext ? '' : `${error.validationContext}.`;
  const errors = error.validation.map(({ instancePath, message }) => ({
    path: `${where}${instancePath.replace(/^\//, '').replaceAll('/', '.')}`,
    message: message ?? 'is not valid',
  }));
  const told = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return new Problem(FailureType.RequestInvalid, told, { errors, cause: error });
}

/**
 * gRPC status codes that say that Temporal, or a worker behind it, is not there now: resource exhausted, failed
 * precondition (no worker polls), unavailable.
 */
const UNAVAILABLE_CODES: ReadonlySet<number> = new Set([8, 9, 14]);

/**
 * Deadline exceeded, and cancelled: nobody here cancels a call, but at its deadline the server does, and whose clock
 * is first decides which of the two is seen.
 */
const NO_ANSWER_CODES: ReadonlySet<number> = new Set([1, 4]);

function temporalProblem(error: unknown): Problem | undefined {
  if (error instanceof WorkflowUpdateFailedError && isUnhandled(error.cause)) {
    return new Problem(FailureType.NotWaiting, 'a rollback takes no commands: it ends by itself', { cause: error });
  }
  if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowFailedError) {
    return failureProblem(error.cause) ?? internal(error);
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return new Problem(
      FailureType.DeadlineExceeded,
      'no worker answered in time, so it is not known whether the command was taken; send it again with the same Idempotency-Key',
      { cause: error },
    );
  }
  if (error instanceof WorkflowNotFoundError) {
    return new Problem(FailureType.UnknownRelease, 'Temporal knows no such workflow', { cause: error });
  }
  if (error instanceof NamespaceNotFoundError) {
    return new Problem(FailureType.SystemRefused, `Temporal has no namespace ${error.namespace}`, { cause: error });
  }
  const grpc = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(grpc)) {
    return error instanceof ServiceError
      ? new Problem(FailureType.SystemRefused, `Temporal: ${error.message}`)
      : undefined;
  }
  if (NO_ANSWER_CODES.has(grpc.code)) {
    const detail = 'Temporal, or a worker behind it, did not answer in time: is a worker running?';
    return new Problem(FailureType.SystemUnavailable, detail, { cause: error });
  }
  const code = UNAVAILABLE_CODES.has(grpc.code) ? FailureType.SystemUnavailable : FailureType.SystemRefused;
  return new Problem(code, `Temporal: ${grpc.details || grpc.message}`, { cause: error });
}

/** What the SDK answers for an update that the workflow has no handler for; it has no type of its own. */
function isUnhandled(cause: unknown): boolean {
  return cause instanceof ApplicationFailure && cause.message.startsWith('No registered handler for update');
}

/** The failure that a workflow or its activity raised, wherever in the chain of causes it stands. */
function failureProblem(cause: unknown): Problem | undefined {
  if (cause instanceof ApplicationFailure) {
    if (cause.type === 'AcceptedUpdateCompletedWorkflow') {
      return new Problem(FailureType.ReleaseOver, 'the release ended before it could carry out the command', { cause });
    }
    if (cause.type !== FailureType.Internal && problemCode(cause.type) === FailureType.Internal) return internal(cause);
    const [first] = cause.details ?? [];
    const errors = inputErrorsSchema.safeParse(first);
    return new Problem(problemCode(cause.type), cause.message, { errors: errors.data, cause });
  }
  if (cause instanceof TimeoutFailure) return new Problem(FailureType.DeadlineExceeded, cause.message, { cause });
  return cause instanceof TemporalFailure ? failureProblem(cause.cause) : undefined;
}

function httpProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  if (error.statusCode < 400 || error.statusCode >= 500) return undefined;
  const code =
    error.statusCode === 413
      ? HttpFailure.BodyTooLarge
      : error.statusCode === 415
        ? HttpFailure.UnsupportedMediaType
        : FailureType.RequestInvalid;
  return new Problem(code, error.message, { cause: error });
}

function internal(cause: unknown): Problem {
  return new Problem(FailureType.Internal, 'this is a bug of Slipway; the logs tell more under the request id', {
    cause,
  });
}

/** The language that an `Accept-Language` header prefers of the two there are; English when it names neither. */
export function preferredLanguage(header: string | undefined): Language {
  const wishes = (header ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/);
      const quality = parameters.find((parameter) => parameter.startsWith('q='));
      return { tag, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
    })
    .filter(({ tag, quality }) => quality > 0 && /^(en|zh)(-|$)/.test(tag))
    .sort((a, b) => b.quality - a.quality);
  return wishes[0]?.tag.startsWith('zh') ? 'zh' : 'en';
}
