import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * JSON with the keys of every object sorted, no white space and no undefined members, so that equal values have
 * equal texts (the subset of RFC 8785 that holds for the strings and numbers we use).
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) {
    // Series of figures are long, and all of them together are written much sooner than one by one.
    if (value.every((item) => typeof item === 'number')) return JSON.stringify(value);
    return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  }
  const members: Readonly<Record<string, unknown>> = { ...value };
  const parts: string[] = [];
  for (const key of Object.keys(members).sort()) {
    const member = members[key];
    if (member !== undefined) parts.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${parts.join(',')}}`;
}

/** SHA-256 of a text, as `sha256:` and 64 hex digits. Pure JavaScript, so it runs in workflows too. */
export function sha256Digest(text: string): string {
  return `sha256:${bytesToHex(sha256(utf8ToBytes(text)))}`;
}

/** Digest of a value: equal values have equal digests, whatever the order of their keys. */
export function digestOf(value: unknown): string {
  return sha256Digest(canonicalJson(value));
}
