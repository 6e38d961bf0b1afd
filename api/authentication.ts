import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiConfiguration } from '../domain/schemas/config.ts';

/** Tells who holds a bearer token; undefined for nobody. */
export type Authenticate = (authorization: string | undefined) => string | undefined;

/**
 * Authentication by the configured tokens. Every token is compared, by its digest, so that the time an answer takes
 * tells neither how much of a token was right nor whose it is.
 */
export function authenticateBy(tokens: ApiConfiguration['tokens']): Authenticate {
  const known = tokens.map(({ name, token }) => ({ name, digest: digestOf(token) }));
  return (authorization) => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) return undefined;
    const digest = digestOf(given);
    let holder: string | undefined;
    for (const candidate of known) {
      if (timingSafeEqual(candidate.digest, digest)) holder = candidate.name;
    }
    return holder;
  };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
