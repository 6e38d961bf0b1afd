/**
 * Reads JSON that users send and reports what is wrong with it in Marathon's own words: paths such as
 * `/portDefinitions(0)/port` and codes such as `error.min` (they are those of play-json, and clients look at them).
 */

/** One thing wrong, and where. */
export interface Problem {
  readonly path: string;
  readonly error: string;
}

/** Reads a value, or notes problems and answers undefined. */
export type Shape<T> = (value: unknown, path: string, problems: Problem[]) => T | undefined;

interface Field<T, Required extends boolean> {
  readonly shape: Shape<T>;
  readonly required: Required;
}

type Fields = Readonly<Record<string, Field<unknown, boolean>>>;

/** The type of what `object` reads. */
export type ObjectOf<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Field<unknown, true> ? K : never]: F[K] extends Field<infer T, true>
    ? T
    : never;
} & {
  readonly [K in keyof F as F[K] extends Field<unknown, true> ? never : K]?: F[K] extends Field<infer T, boolean>
    ? T
    : never;
};

/** What a shape reads. */
export type TypeOf<S> = S extends Shape<infer T> ? T : never;

export function required<T>(shape: Shape<T>): Field<T, true> {
  return { shape, required: true };
}

/** A field that may be absent; `null` counts as absent. */
export function optional<T>(shape: Shape<T>): Field<T, false> {
  return { shape, required: false };
}

/** An object; members that are not named are dropped, as Marathon does. */
export function object<F extends Fields>(fields: F): Shape<ObjectOf<F>> {
  return (value, path, problems) => {
    if (!isObject(value)) return fail(problems, path, 'error.expected.jsobject');
    const before = problems.length;
    const read: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(fields)) {
      const member = value[name];
      if (member === undefined || member === null) {
        if (field.required) {
          fail(problems, `${path}/${name}`, `'${name}' is undefined on object: ${JSON.stringify(value)}`);
        }
        continue;
      }
      read[name] = field.shape(member, `${path}/${name}`, problems);
    }
    // Every required member was read, no optional one is undefined: this is what ObjectOf says.
    return problems.length === before ? (read as ObjectOf<F>) : undefined;
  };
}

export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return (value, path, problems) => {
    if (!Array.isArray(value)) return fail(problems, path, 'error.expected.jsarray');
    const read: T[] = [];
    for (const [index, member] of value.entries()) {
      const one = item(member, `${path}(${index})`, problems);
      if (one !== undefined) read.push(one);
    }
    return read;
  };
}

export function map<T>(item: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, path, problems) => {
    if (!isObject(value)) return fail(problems, path, 'error.expected.jsobject');
    const read: [string, T][] = [];
    for (const [name, member] of Object.entries(value)) {
      const one = item(member, `${path}/${name}`, problems);
      if (one !== undefined) read.push([name, one]);
    }
    // Whatever they are called, `__proto__` too.
    return Object.fromEntries(read);
  };
}

export function text(rules: { readonly minLength?: number; readonly pattern?: RegExp } = {}): Shape<string> {
  return (value, path, problems) => {
    if (typeof value !== 'string') return fail(problems, path, 'error.expected.jsstring');
    if (value.length < (rules.minLength ?? 0)) return fail(problems, path, 'error.minLength');
    if (rules.pattern && !rules.pattern.test(value)) return fail(problems, path, 'error.pattern');
    return value;
  };
}

export function number(rules: { readonly min?: number; readonly max?: number } = {}): Shape<number> {
  return (value, path, problems) => {
    // JavaScript reads 1e999 as infinite.
    if (typeof value !== 'number' || !Number.isFinite(value)) return fail(problems, path, 'error.expected.jsnumber');
    if (value < (rules.min ?? Number.NEGATIVE_INFINITY)) return fail(problems, path, 'error.min');
    if (value > (rules.max ?? Number.POSITIVE_INFINITY)) return fail(problems, path, 'error.max');
    return value;
  };
}

/** A number of 32 bits, as most are. */
export function integer(rules: { readonly min?: number; readonly max?: number } = {}): Shape<number> {
  const inRange = number(rules);
  return (value, path, problems) => {
    // The conversion to 32 bits that JavaScript has; whatever it changes is none.
    if (typeof value === 'number' && (value | 0) !== value) return fail(problems, path, 'error.expected.int');
    return inRange(value, path, problems);
  };
}

/** A number of 64 bits; beyond 53 of them JavaScript would change it. */
export function long(rules: { readonly min?: number; readonly max?: number } = {}): Shape<number> {
  const inRange = number(rules);
  return (value, path, problems) => {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) return fail(problems, path, 'error.expected.long');
    return inRange(value, path, problems);
  };
}

export const flag: Shape<boolean> = (value, path, problems) =>
  typeof value === 'boolean' ? value : fail(problems, path, 'error.expected.jsboolean');

export function oneOf<T extends string>(...values: readonly T[]): Shape<T> {
  return (value, path, problems) => {
    if (typeof value !== 'string') return fail(problems, path, 'error.expected.jsstring');
    return values.find((one) => one === value) ?? fail(problems, path, 'error.unknown.enum.literal');
  };
}

/** Any object, kept as it is. */
export const anyObject: Shape<Readonly<Record<string, unknown>>> = (value, path, problems) =>
  isObject(value) ? value : fail(problems, path, 'error.expected.jsobject');

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fail(problems: Problem[], path: string, error: string): undefined {
  problems.push({ path, error });
  return undefined;
}
