/** Reads parts of a document that may be wrong anywhere: what is missing or wrong there is for its schema to say. */
import { z } from 'zod';

type Path = readonly (string | number)[];

/** The value at a path, parsed; undefined where it is missing or wrong. */
export function read<Schema extends z.ZodType>(
  schema: Schema,
  document: unknown,
  ...path: Path
): z.output<Schema> | undefined {
  const parsed = schema.safeParse(valueAt(document, path));
  return parsed.success ? parsed.data : undefined;
}

/** The keys of the mapping at a path; none where there is no mapping. */
export function keys(document: unknown, ...path: Path): string[] {
  return Object.keys(mappingOf(valueAt(document, path)));
}

/** The entries of the list at a path; none where there is no list. */
export function items(document: unknown, ...path: Path): readonly unknown[] {
  const list = valueAt(document, path);
  return Array.isArray(list) ? list : [];
}

function valueAt(document: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof key === 'number') return Array.isArray(value) ? value[key] : undefined;
    const mapping = mappingOf(value);
    return Object.hasOwn(mapping, key) ? mapping[key] : undefined;
  }, document);
}

function mappingOf(value: unknown): Readonly<Record<string, unknown>> {
  const mapping = z.record(z.string(), z.unknown()).safeParse(value);
  return mapping.success ? mapping.data : {};
}
