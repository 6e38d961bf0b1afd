/**
 * Signatures of webhooks as https://www.standardwebhooks.com lays them down: HMAC-SHA256 over
 * `<id>.<timestamp>.<raw body>`, in three headers. Both directions; the clock comes from the caller.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** How far a timestamp may lie from now, before or after. The value that the specification's libraries use. */
export const SIGNATURE_TOLERANCE_SECONDS = 300;

/** Header names, lower case as Node gives them. */
export const WebhookHeader = {
  Id: 'webhook-id',
  Timestamp: 'webhook-timestamp',
  Signature: 'webhook-signature',
} as const;

/** One message as it goes over the wire. */
export interface SignedMessage {
  readonly id: string;
  /** Seconds since 1970, decimal digits. */
  readonly timestamp: string;
  /** Exactly the bytes that were sent. */
  readonly body: Uint8Array;
}

/** What is wrong with a signature; never holds a secret or the expected value. */
export type SignatureProblem = 'missing-headers' | 'bad-timestamp' | 'too-old' | 'too-new' | 'no-match';

/** True for `whsec_` and base64 of 24 to 64 bytes, the form that the specification asks for. */
export function isSigningSecret(secret: string): boolean {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  if (encoded === undefined) return false;
  const key = Buffer.from(encoded, 'base64');
  return key.toString('base64') === encoded && key.length >= 24 && key.length <= 64;
}

/** The value of the `webhook-signature` header: `v1,` and base64. */
export function signMessage(secret: string, message: SignedMessage): string {
  return `v1,${digest(secret, message).toString('base64')}`;
}

/**
 * Checks a message against its signature header, which may hold several signatures, with each of the secrets (two
 * while one replaces the other). Undefined when one fits. Takes the same time wherever a wrong signature differs.
 * It does not know what was seen before: the caller keeps ids for twice `SIGNATURE_TOLERANCE_SECONDS`.
 */
export function signatureProblem(
  secrets: readonly string[],
  message: { readonly [Key in keyof SignedMessage]: SignedMessage[Key] | undefined },
  signatures: string | undefined,
  nowSeconds: number,
): SignatureProblem | undefined {
  const { id, timestamp, body } = message;
  if (!id || !timestamp || !signatures || body === undefined) return 'missing-headers';
  if (!/^[0-9]{1,12}$/.test(timestamp)) return 'bad-timestamp';
  const age = nowSeconds - Number(timestamp);
  if (age > SIGNATURE_TOLERANCE_SECONDS) return 'too-old';
  if (age < -SIGNATURE_TOLERANCE_SECONDS) return 'too-new';

  const given = signatures
    .split(' ')
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => Buffer.from(signature.slice('v1,'.length), 'base64'));
  let matched = false;
  for (const secret of secrets) {
    const expected = digest(secret, { id, timestamp, body });
    for (const signature of given) {
      if (signature.length === expected.length && timingSafeEqual(signature, expected)) matched = true;
    }
  }
  return matched ? undefined : 'no-match';
}

function digest(secret: string, { id, timestamp, body }: SignedMessage): Buffer {
  if (!isSigningSecret(secret)) throw new Error('a signing secret is whsec_ and base64 of 24 to 64 bytes');
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}
