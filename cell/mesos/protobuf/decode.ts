/** Bytes of protobuf to a message, as the parser of proto2 reads them. */
import protobuf from 'protobufjs/minimal.js';
import {
  BYTES,
  type Enumeration,
  type Field,
  isJsonObject,
  type JsonObject,
  type MessageType,
  missingFields,
  type Scalar,
  wireTypeOf,
} from './notation.ts';

type Reader = ReturnType<typeof protobuf.Reader.create>;

const GROUP_END = 4;

/**
 * The message in the form of its JSON. Unknown fields, unknown words of enumerations and fields of another wire type
 * are skipped; of a field that is there twice the last one counts, or both are merged if it is a message. Whole
 * numbers above 2^53 are rounded. Throws when the bytes are no such message, or a required field is missing.
 */
export function decode(type: MessageType, bytes: Uint8Array): JsonObject {
  const message: JsonObject = {};
  readInto(message, type, protobuf.Reader.create(bytes), bytes.length);
  const missing = missingFields(type, message);
  if (missing.length > 0) throw new Error(`${type.name} lacks ${missing.join(', ')}`);
  return message;
}

function readInto(message: JsonObject, type: MessageType, reader: Reader, end: number): void {
  while (reader.pos < end) {
    const tag = reader.tag();
    const [number, wireType] = [tag >>> 3, tag & 7];
    const field = type.byNumber.get(number);
    if (wireType === GROUP_END) throw new Error('end of a group that never began');
    if (field === undefined || !fits(field, wireType)) {
      reader.skipType(wireType, 0, number);
    } else if (field.rule === 'map') {
      readEntry(message, field, reader);
    } else if (field.rule === 'repeated') {
      readRepeated(message, field, reader, wireType);
    } else {
      const value = readValue(field.type, reader, message[field.name]);
      if (value !== undefined) message[field.name] = value;
    }
  }
  if (reader.pos !== end) throw new Error('a field goes beyond the end of its message');
}

function readRepeated(message: JsonObject, field: Field, reader: Reader, wireType: number): void {
  const before = message[field.name];
  const values: unknown[] = Array.isArray(before) ? before : [];
  // Several in one, which any parser must take.
  const packed = wireType === BYTES && wireTypeOf(field.type) !== BYTES;
  const end = packed ? endOfBytes(reader) : reader.pos + 1;
  while (reader.pos < end) {
    const value = readValue(field.type, reader, undefined);
    if (value !== undefined) values.push(value);
  }
  if (values.length > 0) message[field.name] = values;
}

/** An entry of a map is a message of a key and a value. */
function readEntry(message: JsonObject, field: Field, reader: Reader): void {
  const key: Field = { name: 'key', number: 1, rule: 'optional', type: 'string', ifUnset: undefined };
  const value: Field = { name: 'value', number: 2, rule: 'optional', type: field.type, ifUnset: undefined };
  const byNumber = new Map([key, value].map((each) => [each.number, each]));
  const entry: JsonObject = {};
  const entryType: MessageType = { kind: 'message', name: 'entry', fields: [key, value], byNumber, byName: new Map() };
  readInto(entry, entryType, reader, endOfBytes(reader));
  const before = message[field.name];
  message[field.name] = {
    ...(isJsonObject(before) ? before : {}),
    [typeof entry['key'] === 'string' ? entry['key'] : '']: entry['value'] ?? emptyOf(field.type),
  };
}

function emptyOf(type: Field['type']): unknown {
  if (type === 'string' || type === 'bytes') return '';
  if (type === 'bool') return false;
  if (typeof type === 'string') return 0;
  return type.kind === 'message' ? {} : type.words.values().next().value;
}

/** @param before what the field holds already; undefined is answered for an unknown word */
function readValue(type: Field['type'], reader: Reader, before: unknown): unknown {
  if (typeof type === 'string') return readScalar(type, reader);
  if (type.kind === 'enumeration') return readWord(type, reader);
  const message = isJsonObject(before) ? before : {};
  readInto(message, type, reader, endOfBytes(reader));
  return message;
}

function readWord({ words }: Enumeration, reader: Reader): string | undefined {
  return words.get(reader.int32());
}

function readScalar(type: Scalar, reader: Reader): unknown {
  switch (type) {
    case 'bytes':
      return Buffer.from(reader.bytes()).toString('base64');
    case 'int64':
    case 'uint64':
      return Number(reader[type]().toString());
    default:
      return reader[type]();
  }
}

function endOfBytes(reader: Reader): number {
  const end = reader.size() + reader.pos;
  if (end > reader.len) throw new Error('a length goes beyond the end of the message');
  return end;
}

function fits({ type, rule }: Field, wireType: number): boolean {
  const own = rule === 'map' ? BYTES : wireTypeOf(type);
  return wireType === own || (rule === 'repeated' && wireType === BYTES);
}
