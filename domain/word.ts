import type { Refusal } from './approval.ts';
import { FailureType } from './failures.ts';
import type { FreezeScope } from './freeze.ts';

/** What a person's word may have to say, and how it is asked for. */
const QUESTIONS = {
  by: 'say who you are',
  reason: 'say why',
  planDigest: 'say which plan',
  bundle: 'say which bundle',
  id: 'say which freeze',
} as const;

/**
 * Why this can't be taken for a person's word: something that it must say is missing or is no text. The API never sends
 * such a word; whoever sends an Update through Temporal itself may send anything.
 */
export function refuseWord(word: unknown, ...fields: readonly (keyof typeof QUESTIONS)[]): Refusal | undefined {
  const said = isMapping(word) ? word : {};
  const missing = fields.filter((field) => {
    const value = said[field];
    return typeof value !== 'string' || value.trim() === '';
  });
  if (missing.length === 0) return undefined;
  return {
    type: FailureType.RequestInvalid,
    message: missing.map((field) => `${field}: ${QUESTIONS[field]}`).join('; '),
  };
}

/** Why this is no scope of a freeze: what is frozen would not be known. */
export function refuseScope(scope: FreezeScope): Refusal | undefined {
  const parts = isMapping(scope) ? Object.entries(scope) : undefined;
  if (parts?.every(([name, value]) => PARTS.has(name) && typeof value === 'string')) return undefined;
  return {
    type: FailureType.RequestInvalid,
    message: 'scope: say what is frozen, by environment and service; {} for everything',
  };
}

const PARTS: ReadonlySet<string> = new Set(['environment', 'service'] satisfies (keyof FreezeScope)[]);

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
