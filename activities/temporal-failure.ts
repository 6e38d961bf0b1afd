import { isGrpcServiceError } from '@temporalio/client';
import { ApplicationFailure, NamespaceNotFoundError } from '@temporalio/common';
import { FailureType } from '../domain/failures.ts';

/**
 * gRPC codes that stay the same however often the call is made: INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED,
 * UNIMPLEMENTED and UNAUTHENTICATED. FAILED_PRECONDITION is not one: Temporal answers it to a query while no worker is
 * up. Source: https://grpc.github.io/grpc/core/md_doc_statuscodes.html
 */
const LASTING_CODES: ReadonlySet<number> = new Set([3, 5, 7, 12, 16]);

/** The failure for a call to Temporal that was not answered, or answered with an error. */
export function temporalFailure(call: string, error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const cause = error instanceof Error ? error.cause : undefined;
  const grpc = [error, cause].find(isGrpcServiceError);
  const lasting = error instanceof NamespaceNotFoundError || (grpc !== undefined && LASTING_CODES.has(grpc.code));
  const said = grpc?.details || (error instanceof Error ? error.message : String(error));
  return ApplicationFailure.create({
    type: lasting ? FailureType.SystemRefused : FailureType.SystemUnavailable,
    nonRetryable: lasting,
    message: lasting
      ? `Temporal refused ${call}: ${said}; check the namespace and the credentials`
      : `Temporal: ${call} failed: ${said}; check that it runs and can be reached from here`,
    ...(error instanceof Error ? { cause: error } : {}),
  });
}
