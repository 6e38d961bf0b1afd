/** The two forms in which a master speaks; everything inside the cell is in the form of the JSON. */
import { MAX_JSON_DEPTH, nestsDeeper } from '../request-body.ts';
import { Refusal } from './http-server.ts';
import { decode } from './protobuf/decode.ts';
import { encode } from './protobuf/encode.ts';
import { fromJson, JsonComplaint } from './protobuf/from-json.ts';
import { isJsonObject, type JsonObject, type MessageType } from './protobuf/notation.ts';
import { withDefaults } from './protobuf/with-defaults.ts';
import { wireJson } from './wire-json.ts';

export const JSON_TYPE = 'application/json';
export const PROTOBUF_TYPE = 'application/x-protobuf';
export type MediaType = typeof JSON_TYPE | typeof PROTOBUF_TYPE;

/** Reads a body as a call, or refuses it with what the real master says. */
export function readCall(type: MessageType, body: Buffer, mediaType: MediaType): JsonObject {
  if (mediaType === JSON_TYPE) return readJson(type, body);
  try {
    return decode(type, body);
  } catch {
    throw new Refusal(400, 'Failed to parse body into Call protobuf');
  }
}

/** An answer or an event in the form that the caller accepts. */
export function writeMessage(type: MessageType, message: object, mediaType: MediaType): Buffer {
  return Buffer.from(mediaType === JSON_TYPE ? wireJson(withDefaults(type, message)) : encode(type, message));
}

/** Reads the body of one of the calls from before the v1 API: a message as bare JSON. */
export function readBody(type: MessageType, body: Buffer): JsonObject {
  const value = parse(body, '');
  if (!isJsonObject(value)) throw new Refusal(400, 'Unexpected JSON type parsed');
  return convert(type, value, '');
}

/** The same for a list of messages. */
export function readList(type: MessageType, body: Buffer): JsonObject[] {
  const value = parse(body, '');
  if (!Array.isArray(value)) throw new Refusal(400, 'Unexpected JSON type parsed');
  return value.map((member) => convert(type, member, ''));
}

function readJson(type: MessageType, body: Buffer): JsonObject {
  const value = parse(body, 'Failed to parse body into JSON: ');
  return convert(type, value, 'Failed to convert JSON into Call protobuf: ');
}

/** @param doing what a refusal begins with */
function parse(body: Buffer, doing: string): unknown {
  const text = body.toString('utf8');
  if (nestsDeeper(text, MAX_JSON_DEPTH)) {
    throw new Refusal(400, `${doing}it nests deeper than ${MAX_JSON_DEPTH} levels`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, `${doing}syntax error at line 1 near: `);
  }
}

function convert(type: MessageType, value: unknown, doing: string): JsonObject {
  try {
    return fromJson(type, value);
  } catch (error) {
    if (!(error instanceof JsonComplaint)) throw error;
    throw new Refusal(400, `${doing}${error.message}`);
  }
}
