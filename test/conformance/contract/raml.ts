import { posix } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/**
 * Says RAML 1.0 types in JSON Schema: libraries and their `uses`, inheritance, unions, arrays, optional and pattern
 * properties, and the facets of scalars. Objects are closed, although RAML leaves them open: clients of Marathon
 * refuse members they don't know. What it does not know it throws at, so nothing goes unchecked in silence.
 */

export type JsonSchema = Readonly<Record<string, unknown>>;

type Declaration = Readonly<Record<string, unknown>>;

interface Library {
  /** Such as `app` for `app.raml`. */
  readonly name: string;
  readonly path: string;
  readonly uses: Readonly<Record<string, string>>;
  readonly types: Readonly<Record<string, unknown>>;
}

const librarySchema = z.looseObject({
  uses: z.record(z.string(), z.string()).default({}),
  types: z.record(z.string(), z.unknown()).default({}),
});

const SCALARS: Readonly<Record<string, JsonSchema>> = {
  string: { type: 'string' },
  number: { type: 'number' },
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
  datetime: { type: 'string', format: 'datetime' },
  nil: { type: 'null' },
  any: {},
};

const FORMATS: Readonly<Record<string, JsonSchema>> = {
  int32: { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
  int64: { type: 'integer' },
  float: {},
  double: {},
};

/** Facets that mean the same in both languages. */
const FACETS = new Set([
  ...['enum', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum'],
  ...['minItems', 'maxItems', 'uniqueItems'],
]);
/** Facets that restrict nothing, or are dealt with elsewhere. */
const WORDS = new Set([
  ...['type', 'properties', 'items', 'required', 'format', 'discriminator', 'discriminatorValue'],
  ...['description', 'displayName', 'usage', 'example', 'examples', 'default'],
]);

/**
 * Every type that libraries hold or need, as `$defs` by names such as `app.App`.
 *
 * @param paths of the libraries, such as `types/app.raml`
 * @param read gives the text of a file by its path
 */
export function schemasOf(
  paths: readonly string[],
  read: (path: string) => string,
): Readonly<Record<string, JsonSchema>> {
  const reader = new TypeReader(read);
  for (const path of paths) reader.addAll(path);
  return reader.definitions();
}

class TypeReader {
  readonly #read: (path: string) => string;
  readonly #libraries = new Map<string, Library>();
  readonly #definitions = new Map<string, JsonSchema>();
  readonly #shapes = new Map<Declaration, Shape>();

  constructor(read: (path: string) => string) {
    this.#read = read;
  }

  addAll(path: string): void {
    const library = this.#library(path);
    for (const name of Object.keys(library.types)) this.#define(library, name);
  }

  definitions(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries(this.#definitions);
  }

  #library(path: string): Library {
    const known = this.#libraries.get(path);
    if (known) return known;
    const { uses, types } = librarySchema.parse(parse(this.#read(path)));
    const library = { name: posix.basename(path, '.raml'), path, uses, types };
    this.#libraries.set(path, library);
    return library;
  }

  /** The library and the name that a reference means. */
  #find(reference: string, from: Library): { readonly library: Library; readonly name: string } {
    const [prefix = '', inner] = reference.split('.');
    if (inner === undefined) {
      if (!(prefix in from.types)) throw new Error(`${from.path}: there is no type ${reference}`);
      return { library: from, name: prefix };
    }
    const used = from.uses[prefix];
    if (used === undefined) throw new Error(`${from.path}: ${reference} is of a library that it does not use`);
    const library = this.#library(posix.join(posix.dirname(from.path), used));
    if (!(inner in library.types)) throw new Error(`${library.path}: there is no type ${inner}`);
    return { library, name: inner };
  }

  #define(library: Library, name: string): JsonSchema {
    const key = `${library.name}.${name}`;
    if (!this.#definitions.has(key)) {
      // Taken before it is read: a group is made of groups.
      this.#definitions.set(key, {});
      this.#definitions.set(key, this.#schema(library.types[name], library));
    }
    return { $ref: `#/$defs/${key}` };
  }

  #schema(declared: unknown, from: Library): JsonSchema {
    if (typeof declared === 'string') return this.#expression(declared, from);
    if (!isDeclaration(declared)) throw new Error(`${from.path}: ${JSON.stringify(declared)} declares no type`);
    for (const facet of Object.keys(declared)) {
      if (!FACETS.has(facet) && !WORDS.has(facet) && !facet.startsWith('(')) {
        throw new Error(`${from.path}: the facet ${facet} is not known`);
      }
    }
    const type = typeOf(declared);
    if (type === 'object' || 'properties' in declared) return this.#object(declared, from);
    const facets = Object.fromEntries(Object.entries(declared).filter(([facet]) => FACETS.has(facet)));
    if (type === 'array') {
      return { type: 'array', items: 'items' in declared ? this.#schema(declared['items'], from) : {}, ...facets };
    }
    const base = this.#expression(type, from);
    const format = typeof declared['format'] === 'string' ? FORMATS[declared['format']] : {};
    if (format === undefined) throw new Error(`${from.path}: the format ${declared['format']} is not known`);
    const narrower = { ...format, ...facets };
    return '$ref' in base && Object.keys(narrower).length > 0 ? { allOf: [base, narrower] } : { ...base, ...narrower };
  }

  /** `A`, `lib.A`, `A[]`, `A | B`, `(A | B)[]`. */
  #expression(text: string, from: Library): JsonSchema {
    const expression = text.trim();
    const parts = splitUnion(expression);
    if (parts.length > 1) return { anyOf: parts.map((part) => this.#expression(part, from)) };
    if (expression.endsWith('[]')) return { type: 'array', items: this.#expression(expression.slice(0, -2), from) };
    if (expression.startsWith('(') && expression.endsWith(')')) return this.#expression(expression.slice(1, -1), from);
    if (expression === 'object') return { type: 'object' };
    const scalar = SCALARS[expression];
    if (scalar) return { ...scalar };
    const { library, name } = this.#find(expression, from);
    return this.#define(library, name);
  }

  #object(declared: Declaration, from: Library): JsonSchema {
    const shape = this.#shape(declared, from);
    if (shape.properties.size + shape.patterns.size === 0) return { type: 'object' };
    return {
      type: 'object',
      properties: Object.fromEntries(shape.properties),
      ...(shape.patterns.size > 0 ? { patternProperties: Object.fromEntries(shape.patterns) } : {}),
      ...(shape.required.size > 0 ? { required: [...shape.required] } : {}),
      additionalProperties: false,
    };
  }

  /** The members of an object, those it inherits first; what two types share is one and the same schema. */
  #shape(declared: Declaration, from: Library): Shape {
    const known = this.#shapes.get(declared);
    if (known) return known;
    const shape = this.#readShape(declared, from);
    this.#shapes.set(declared, shape);
    return shape;
  }

  #readShape(declared: Declaration, from: Library): Shape {
    const type = typeOf(declared);
    const shape: Shape = { properties: new Map(), patterns: new Map(), required: new Set() };
    if (type !== 'object') {
      const { library, name } = this.#find(type, from);
      const parent = library.types[name];
      if (!isDeclaration(parent)) throw new Error(`${from.path}: ${type} has no members to inherit`);
      const inherited = this.#shape(parent, library);
      for (const [key, schema] of inherited.properties) shape.properties.set(key, schema);
      for (const [key, schema] of inherited.patterns) shape.patterns.set(key, schema);
      for (const key of inherited.required) shape.required.add(key);
    }
    for (const [key, member] of Object.entries(z.record(z.string(), z.unknown()).parse(declared['properties'] ?? {}))) {
      const schema = this.#schema(member, from);
      if (key.startsWith('/') && key.endsWith('/')) {
        shape.patterns.set(key.slice(1, -1), schema);
        continue;
      }
      const name = key.replace(/\?$/, '');
      shape.properties.set(name, schema);
      const optional = name !== key || (isDeclaration(member) && member['required'] === false);
      if (optional) shape.required.delete(name);
      else shape.required.add(name);
    }
    return shape;
  }
}

interface Shape {
  readonly properties: Map<string, JsonSchema>;
  readonly patterns: Map<string, JsonSchema>;
  readonly required: Set<string>;
}

/** What a declaration is when it does not say so: an object when it has members, a list when it has items. */
function typeOf(declared: Declaration): string {
  const { type } = declared;
  if (typeof type === 'string') return type;
  if ('properties' in declared) return 'object';
  return 'items' in declared ? 'array' : 'string';
}

/** Splits at the bars that stand in no parentheses. */
function splitUnion(expression: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const sign of expression) {
    if (sign === '(') depth += 1;
    if (sign === ')') depth -= 1;
    if (sign === '|' && depth === 0) parts.push('');
    else parts[parts.length - 1] += sign;
  }
  return parts;
}

function isDeclaration(value: unknown): value is Declaration {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
