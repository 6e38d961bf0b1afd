/** Turns what zod found wrong into the errors people read: one a mistake, with its path and what to do. */
import type { z } from 'zod';
import type { InputError } from '../failures.ts';
import { nearestName } from './nearest-name.ts';

/** More unknown keys in one mapping than this are counted only. */
const MOST_KEYS = 20;

/** More errors than this help nobody, and would not fit where they are sent. */
const MOST_ERRORS = 100;

/** The first hundred errors, and how many more there are. */
export function firstErrors(errors: readonly InputError[]): InputError[] {
  const more = errors.length - MOST_ERRORS;
  return more > 0 ? [...errors.slice(0, MOST_ERRORS), { path: '', message: `and ${more} more errors` }] : [...errors];
}

/**
 * Parses `document` with `schema` and words what is wrong. Messages given in the schema win over the general ones here.
 * @param jsonSchema of the same document as people write it; asked only for the hints on what is wrong
 */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  document: unknown,
  jsonSchema: () => z.core.JSONSchema.BaseSchema,
): { readonly data?: z.output<Schema>; readonly errors: InputError[] } {
  const parsed = schema.safeParse(document, { error: plainMessage });
  return parsed.success
    ? { data: parsed.data, errors: [] }
    : { errors: inputErrors(parsed.error.issues, jsonSchema()) };
}

function inputErrors(issues: readonly z.core.$ZodIssue[], jsonSchema: z.core.JSONSchema.BaseSchema): InputError[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(jsonSchema, issue.path);
      const errors = issue.keys.slice(0, MOST_KEYS).map((key) => unknownKey([...issue.path, key], known));
      const more = issue.keys.length - errors.length;
      return more > 0 ? [...errors, { path: pathText(issue.path), message: `and ${more} more unknown keys` }] : errors;
    }
    const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
    return [{ path: pathText(issue.path), message }];
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

/** The keys that a JSON Schema allows at a path; empty where it names none. */
function knownKeys(schema: z.core.JSONSchema.BaseSchema, path: readonly PropertyKey[]): readonly string[] {
  let at: z.core.JSONSchema._JSONSchema | undefined = schema;
  for (const part of path) {
    if (typeof at !== 'object') return [];
    if (typeof part === 'number') at = Array.isArray(at.items) ? at.items[part] : at.items;
    else at = at.properties?.[String(part)] ?? at.additionalProperties;
  }
  return typeof at === 'object' ? Object.keys(at.properties ?? {}) : [];
}

/** What is wrong with a value, in plain words; undefined leaves the wording to zod. */
export function plainMessage(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return 'is missing';
    return `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}`;
  }
  if (issue.code === 'invalid_value') {
    return issue.input === undefined ? 'is missing' : oneOf(issue.values.map(String), issue.input);
  }
  return undefined;
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
