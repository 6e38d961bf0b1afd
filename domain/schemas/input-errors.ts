/** Turns what zod found wrong into the errors people read: one a mistake, with its path and what to do. */
import type { z } from 'zod';
import type { InputError } from '../failures.ts';
import { nearestName } from './nearest-name.ts';

/**
 * @param issues of a `safeParse` called with `reportInput: true`, so that a missing value can be told from a wrong one
 * @param knownKeys the keys allowed at a path; for the hint on an unknown one
 */
export function inputErrors(
  issues: readonly z.core.$ZodIssue[],
  knownKeys: (path: readonly PropertyKey[]) => readonly string[],
): InputError[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey([...issue.path, key], knownKeys(issue.path)));
    }
    return [{ path: pathText(issue.path), message: messageOf(issue) }];
  });
}

/** `tests.contract.environments[0]`; empty for the document itself. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

function unknownKey(path: readonly PropertyKey[], known: readonly string[]): InputError {
  const meant = nearestName(String(path.at(-1)), known);
  const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
  return { path: pathText(path), message: `unknown key; ${hint}` };
}

function messageOf(issue: z.core.$ZodIssue): string {
  if ((issue.code === 'invalid_type' || issue.code === 'invalid_value') && issue.input === undefined) {
    return 'is missing';
  }
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}`;
    case 'invalid_value':
      return oneOf(issue.values.map(String), issue.input);
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    default:
      return issue.message;
  }
}

function oneOf(allowed: readonly string[], written: unknown): string {
  const meant = typeof written === 'string' ? nearestName(written, allowed) : undefined;
  return `must be ${allowed.join(' or ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping of keys to values',
  record: 'a mapping of names to values',
  array: 'a list',
};

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'number':
      return Number.isInteger(value) || !Number.isFinite(value) ? `the number ${value}` : 'a number with a fraction';
    case 'boolean':
      return `the value ${value}`;
    default:
      return 'a mapping';
  }
}
