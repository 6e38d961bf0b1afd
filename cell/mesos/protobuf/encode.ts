/** A message to bytes of protobuf. */
import protobuf from 'protobufjs/minimal.js';
import {
  BYTES,
  type Field,
  isJsonObject,
  type JsonObject,
  type MessageType,
  type Scalar,
  wireTypeOf,
} from './notation.ts';

type Writer = ReturnType<typeof protobuf.Writer.create>;

/**
 * Of a message in the form of its JSON. Members that no field is named for are left out, undefined ones too. Throws
 * when a required field is missing or a value is none of its type: such a message is a defect of whoever made it.
 */
export function encode(type: MessageType, message: object): Uint8Array {
  const writer = protobuf.Writer.create();
  writeFields(writer, type, message as JsonObject);
  return writer.finish();
}

function writeFields(writer: Writer, type: MessageType, message: JsonObject): void {
  for (const field of type.fields) {
    const value = message[field.name];
    if (value === undefined) {
      if (field.rule === 'required') throw new Error(`${type.name} lacks ${field.name}`);
    } else if (field.rule === 'repeated') {
      for (const member of value as readonly unknown[]) writeField(writer, field, member);
    } else if (field.rule === 'map') {
      for (const [key, member] of Object.entries(value as JsonObject)) {
        writer.uint32((field.number << 3) | BYTES).fork();
        writer.uint32((1 << 3) | BYTES).string(key);
        writeField(writer, { ...field, number: 2 }, member);
        writer.ldelim();
      }
    } else {
      writeField(writer, field, value);
    }
  }
}

function writeField(writer: Writer, { name, number, type }: Field, value: unknown): void {
  const wrong = (): Error => new Error(`${name}: ${JSON.stringify(value)} is none of its values`);
  writer.uint32((number << 3) | wireTypeOf(type));
  if (typeof type === 'string') {
    if (!writeScalar(writer, type, value)) throw wrong();
  } else if (type.kind === 'enumeration') {
    const word = type.numbers.get(String(value));
    if (word === undefined) throw wrong();
    writer.int32(word);
  } else {
    if (!isJsonObject(value)) throw wrong();
    writer.fork();
    writeFields(writer, type, value);
    writer.ldelim();
  }
}

/** False if the value is none of the type. Numbers may also be written as strings, as in Mesos' JSON. */
function writeScalar(writer: Writer, type: Scalar, value: unknown): boolean {
  switch (type) {
    case 'string':
      if (typeof value !== 'string') return false;
      writer.string(value);
      return true;
    case 'bytes':
      if (typeof value !== 'string') return false;
      writer.bytes(Buffer.from(value, 'base64'));
      return true;
    case 'bool':
      if (typeof value !== 'boolean') return false;
      writer.bool(value);
      return true;
    default: {
      const number = typeof value === 'string' && value !== '' ? Number(value) : value;
      if (typeof number !== 'number' || Number.isNaN(number)) return false;
      writer[type](type === 'double' ? number : Math.trunc(number));
      return true;
    }
  }
}
