/**
 * How this folder writes down messages. A message is its fields by name, each `"<number><rule> <type>"`: the rule is
 * `!` for required, `*` for repeated, nothing for optional; the type is a scalar, the name of another definition, or
 * `map<type>` (keys are strings). `" = <value>"` at the end is a default. An enumeration is its words with their numbers.
 */
export type Definitions = Readonly<Record<string, Readonly<Record<string, string | number>>>>;

const SCALARS = ['double', 'int32', 'int64', 'uint32', 'uint64', 'bool', 'string', 'bytes'] as const;
export type Scalar = (typeof SCALARS)[number];

export interface Enumeration {
  readonly kind: 'enumeration';
  readonly numbers: ReadonlyMap<string, number>;
  readonly words: ReadonlyMap<number, string>;
}

export interface MessageType {
  readonly kind: 'message';
  readonly name: string;
  /** In the order of their definition. */
  readonly fields: readonly Field[];
  readonly byName: ReadonlyMap<string, Field>;
  readonly byNumber: ReadonlyMap<number, Field>;
}

export interface Field {
  readonly name: string;
  readonly number: number;
  readonly rule: 'optional' | 'required' | 'repeated' | 'map';
  /** Of a map: that of its values. */
  readonly type: Scalar | Enumeration | MessageType;
  /** What holds where it is not set, in the form of the JSON; undefined where nothing is said. */
  readonly ifUnset: unknown;
}

/** A message in the form that its JSON has: enumerations as words, bytes as base64, maps as objects. */
export type JsonObject = { [name: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const VARINT = 0;
export const BYTES = 2;
const FIXED64 = 1;

/** How a value of this type is laid out on the wire. */
export function wireTypeOf(type: Field['type']): number {
  if (type === 'double') return FIXED64;
  if (type === 'string' || type === 'bytes') return BYTES;
  return typeof type !== 'string' && type.kind === 'message' ? BYTES : VARINT;
}

/** Reads definitions that may name one another. Throws on a field that is not written as above. */
export function compile(definitions: Definitions): ReadonlyMap<string, MessageType> {
  const done = new Map<string, Enumeration | MessageType>();
  const typeNamed = (name: string): Field['type'] => {
    if ((SCALARS as readonly string[]).includes(name)) return name as Scalar;
    const known = done.get(name);
    if (known !== undefined) return known;
    const definition = definitions[name];
    if (definition === undefined) throw new Error(`there is no definition of ${name}`);
    const entries = Object.entries(definition);
    const numbers = entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number');
    if (numbers.length > 0) {
      const words = new Map(numbers.map(([word, number]) => [number, word]));
      done.set(name, { kind: 'enumeration', numbers: new Map(numbers), words });
    } else {
      const [fields, byName, byNumber] = [[] as Field[], new Map<string, Field>(), new Map<number, Field>()];
      // Before its fields, which may be of this type themselves.
      done.set(name, { kind: 'message', name, fields, byName, byNumber });
      for (const [fieldName, text] of entries) {
        const field = fieldOf(fieldName, String(text), typeNamed);
        if (byNumber.has(field.number)) throw new Error(`${name} has two fields of number ${field.number}`);
        fields.push(field);
        byName.set(fieldName, field);
        byNumber.set(field.number, field);
      }
    }
    return typeNamed(name);
  };
  for (const name of Object.keys(definitions)) typeNamed(name);
  return new Map([...done].filter((entry): entry is [string, MessageType] => entry[1].kind === 'message'));
}

function fieldOf(name: string, text: string, typeNamed: (name: string) => Field['type']): Field {
  const [, number, mark, map, type, ifUnset] =
    /^(\d+)([!*]?) (?:map<([\w.]+)>|([\w.]+))(?: = (\w+))?$/.exec(text) ?? [];
  const typeName = map ?? type;
  if (number === undefined || typeName === undefined) throw new Error(`${name}: "${text}" is no field`);
  const rule = map !== undefined ? 'map' : mark === '!' ? 'required' : mark === '*' ? 'repeated' : 'optional';
  return { name, number: Number(number), rule, type: typeNamed(typeName), ifUnset: readDefault(ifUnset) };
}

function readDefault(text: string | undefined): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text;
}

/** The required fields that a message or one inside it lacks, as protobuf names them: `tasks[0].task_id`. */
export function missingFields(type: MessageType, message: JsonObject, path = ''): string[] {
  const own = type.fields
    .filter(({ name, rule }) => rule === 'required' && message[name] === undefined)
    .map(({ name }) => path + name);
  const inner = type.fields.flatMap((field) => {
    const { name, type: of } = field;
    const value = message[name];
    if (value === undefined || typeof of === 'string' || of.kind === 'enumeration') return [];
    return membersOf(field, value).flatMap(([where, member]) =>
      isJsonObject(member) ? missingFields(of, member, `${path}${name}${where}.`) : [],
    );
  });
  return [...own, ...inner];
}

/** The values of a field, each with the suffix that says which it is. */
function membersOf({ rule }: Field, value: unknown): [string, unknown][] {
  if (rule === 'repeated' && Array.isArray(value)) return value.map((member, index) => [`[${index}]`, member]);
  if (rule === 'map' && isJsonObject(value)) {
    return Object.values(value).map((member, index) => [`[${index}].value`, member]);
  }
  return [['', value]];
}
