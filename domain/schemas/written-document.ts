/** Reads parts of a document that may be wrong anywhere: what is missing or wrong there is for its schema to say. */
import type { z } from 'zod';

type Path = readonly (string | number)[];

/**
 * Of a list or a mapping no more than this is looked at: every one of the manifest's is to be shorter, as its schema says,
 * and comparing the entries of far longer ones with each other would take minutes.
 */
const MOST_LOOKED_AT = 250;

/** The value at a path, parsed; undefined where it is missing or wrong. */
export function read<Schema extends z.ZodType>(
  schema: Schema,
  document: unknown,
  ...path: Path
): z.output<Schema> | undefined {
  const parsed = schema.safeParse(valueAt(document, path));
  return parsed.success ? parsed.data : undefined;
}

/** The keys of the mapping at a path, the first 250; none where there is no mapping. */
export function keys(document: unknown, ...path: Path): string[] {
  return Object.keys(mappingOf(valueAt(document, path))).slice(0, MOST_LOOKED_AT);
}

/** The entries of the list at a path, the first 250; none where there is no list. */
export function items(document: unknown, ...path: Path): readonly unknown[] {
  const list = valueAt(document, path);
  return Array.isArray(list) ? list.slice(0, MOST_LOOKED_AT) : [];
}

function valueAt(document: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof key === 'number') return Array.isArray(value) ? value[key] : undefined;
    const mapping = mappingOf(value);
    return Object.hasOwn(mapping, key) ? mapping[key] : undefined;
  }, document);
}

function mappingOf(value: unknown): Readonly<Record<string, unknown>> {
  return isMapping(value) ? value : {};
}

/** Without a look at what is in it: that would be read again with each path. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
