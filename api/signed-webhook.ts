import type { FastifyInstance, FastifyRequest } from 'fastify';
import { FailureType } from '../domain/failures.ts';
import { type SignatureProblem, signatureProblem, WebhookHeader } from '../domain/standard-webhooks.ts';
import { Problem } from './problem.ts';

const TOLD: Readonly<Record<SignatureProblem, string>> = {
  'missing-headers': 'send the headers webhook-id, webhook-timestamp and webhook-signature',
  'bad-timestamp': 'webhook-timestamp is not a number of seconds',
  'too-old': 'the message is too old; check the clocks',
  'too-new': 'the message comes from the future; check the clocks',
  'no-match': 'no signature fits the message',
};

/** In this scope JSON bodies stay bytes until their signature was checked; `parseVerified` makes them values. */
export function keepRawBodies(app: FastifyInstance): void {
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

/**
 * Checks the Standard Webhooks signature of a request whose body is still raw.
 *
 * @returns the id of the message
 * @throws Problem `SignatureInvalid`, which tells what is wrong and nothing of what would be right
 */
export function verifySignature(request: FastifyRequest, secrets: readonly string[], nowSeconds: number): string {
  const id = header(request, WebhookHeader.Id);
  const timestamp = header(request, WebhookHeader.Timestamp);
  const message = { id, timestamp, body: rawBody(request) };
  const problem = signatureProblem(secrets, message, header(request, WebhookHeader.Signature), nowSeconds);
  if (problem !== undefined || id === undefined) {
    throw new Problem(FailureType.SignatureInvalid, TOLD[problem ?? 'missing-headers']);
  }
  return id;
}

/** Puts the parsed body in place of the bytes, for the schema of the route to check. */
export function parseVerified(request: FastifyRequest): void {
  const body = rawBody(request) ?? new Uint8Array();
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    request.body = JSON.parse(text);
  } catch (cause) {
    throw new Problem(FailureType.RequestInvalid, 'the body is not JSON', { cause });
  }
}

/** One value of a header; undefined when it is absent or there twice. */
export function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function rawBody(request: FastifyRequest): Uint8Array | undefined {
  return request.body instanceof Uint8Array ? request.body : undefined;
}
