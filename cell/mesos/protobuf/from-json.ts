/** JSON to a message, as Mesos' own parser reads it (stout's `protobuf.hpp`), with its complaints. */
import {
  type Enumeration,
  type Field,
  isJsonObject,
  type JsonObject,
  type MessageType,
  missingFields,
  type Scalar,
} from './notation.ts';

/** What Mesos says of JSON that is no such message. */
export class JsonComplaint extends Error {}

/**
 * The message in its plain form: no members that it has no fields for, no null, no words that the enumeration of an
 * optional field lacks; numbers as numbers, also if they were strings. Throws a `JsonComplaint`.
 */
export function fromJson(type: MessageType, value: unknown): JsonObject {
  if (!isJsonObject(value)) throw new JsonComplaint('Expecting a JSON object');
  const message = readObject(type, value);
  const missing = missingFields(type, message);
  if (missing.length > 0) throw new JsonComplaint(`Missing required fields: ${missing.join(', ')}`);
  return message;
}

function readObject(type: MessageType, value: JsonObject): JsonObject {
  const message: JsonObject = {};
  // Mesos goes through them by name, so the first of several complaints is that of the first name.
  for (const name of Object.keys(value).sort()) {
    const field = type.byName.get(name);
    const member = field === undefined ? undefined : readField(field, value[name]);
    if (member !== undefined) message[name] = member;
  }
  return message;
}

function readField(field: Field, value: unknown): unknown {
  if (value === null) return undefined;
  if (field.rule === 'repeated') {
    // One alone is taken for a list of it, and lists of lists are one.
    const members = Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value];
    return members.flatMap((member) => (member === null ? [] : (readValue(field, member) ?? [])));
  }
  if (field.rule === 'map' && isJsonObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, readValue(field, member)]));
  }
  return readValue(field, value);
}

function readValue(field: Field, value: unknown): unknown {
  const { type } = field;
  if (typeof type === 'string') return readScalar(type, field, value);
  if (type.kind === 'enumeration') return readWord(type, field, value);
  return isJsonObject(value) ? readObject(type, value) : refuse(field, value);
}

function readWord({ numbers }: Enumeration, field: Field, value: unknown): string | undefined {
  if (typeof value !== 'string') return refuse(field, value);
  if (numbers.has(value)) return value;
  if (field.rule === 'required') throw new JsonComplaint(`Failed to find enum for '${value}'`);
  return undefined;
}

function readScalar(type: Scalar, field: Field, value: unknown): unknown {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : refuse(field, value);
    case 'bytes':
      return typeof value === 'string' ? readBytes(field, value) : refuse(field, value);
    case 'bool':
      if (typeof value === 'string') return readBoolean(field, value);
      return typeof value === 'boolean' ? value : refuse(field, value);
    case 'double':
      if (value === 'Infinity' || value === '-Infinity') return Number(value);
      return readNumber(field, value);
    default:
      return Math.trunc(readNumber(field, value));
  }
}

function readBytes({ name }: Field, value: string): string {
  const wrong = /[^A-Za-z0-9+/=\s]/.exec(value)?.[0];
  if (wrong !== undefined) {
    throw new JsonComplaint(`Failed to base64 decode bytes field '${name}': Invalid character '${wrong}'`);
  }
  return Buffer.from(value, 'base64').toString('base64');
}

function readBoolean({ name }: Field, value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw new JsonComplaint(`Failed to parse '${value}' as a JSON boolean for field '${name}': ${notParsed(value)}`);
}

/** Mesos takes numbers as strings too, because JavaScript can't write large ones; what follows the number is ignored. */
function readNumber(field: Field, value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return refuse(field, value);
  const number = /^\s*-?\d+(\.\d+)?([eE][+-]?\d+)?/.exec(value)?.[0];
  if (number !== undefined) return Number(number);
  throw new JsonComplaint(`Failed to parse '${value}' as a JSON number for field '${field.name}': ${notParsed(value)}`);
}

function notParsed(text: string): string {
  try {
    JSON.parse(text);
    return 'Unexpected JSON type parsed';
  } catch {
    return `syntax error at line 1 near: ${text}`;
  }
}

function refuse({ name }: Field, value: unknown): never {
  const kind = Array.isArray(value) ? 'array' : typeof value;
  throw new JsonComplaint(`Not expecting a JSON ${kind} for field '${name}'`);
}
