import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * Signatures of webhooks as https://www.standardwebhooks.com lays them down: HMAC-SHA256 over
 * `<id>.<timestamp>.<raw body>`, in three headers. Both directions; the clock is the caller's.
 */

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
  return signingKey(secret) !== undefined;
}

/** The value of the `webhook-signature` header: `v1,` and base64. Throws when the secret is not a signing secret. */
export function signMessage(secret: string, { id, timestamp, body }: SignedMessage): string {
  const key = signingKey(secret);
  if (key === undefined) throw new Error('a signing secret is whsec_ and base64 of 24 to 64 bytes');
  return `v1,${toBase64(hmac(sha256, key, concatBytes(utf8ToBytes(`${id}.${timestamp}.`), body)))}`;
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

  const given = signatures.split(' ');
  let matched = false;
  for (const secret of secrets) {
    const expected = signMessage(secret, { id, timestamp, body });
    for (const signature of given) {
      if (equalInConstantTime(signature, expected)) matched = true;
    }
  }
  return matched ? undefined : 'no-match';
}

/** Compares two texts in a time that depends on their lengths alone. */
function equalInConstantTime(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index += 1) difference |= a.charCodeAt(index) ^ b.charCodeAt(index);
  return difference === 0;
}

function signingKey(secret: string): Uint8Array | undefined {
  const encoded = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(secret)?.[1];
  if (encoded === undefined) return undefined;
  const key = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  return key.length >= 24 && key.length <= 64 ? key : undefined;
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
