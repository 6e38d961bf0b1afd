/**
 * What a real Mesos 1.11.0 wrote as protobuf, byte for byte, beside its own JSON of the same message: answers of the
 * operator API and both streams (`mesos/protobuf-1.11.0.json`). Events of the scheduler stream exist in one form only;
 * their JSON was made from the bytes and the message descriptors inside that Mesos.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { decode } from '../../cell/mesos/protobuf/decode.ts';
import { encode } from '../../cell/mesos/protobuf/encode.ts';
import { fromJson } from '../../cell/mesos/protobuf/from-json.ts';
import {
  messageType,
  OPERATOR_CALL,
  OPERATOR_EVENT,
  OPERATOR_RESPONSE,
  SCHEDULER_CALL,
  SCHEDULER_EVENT,
} from '../../cell/mesos/protobuf/messages.ts';
import { isJsonObject, type JsonObject, type MessageType } from '../../cell/mesos/protobuf/notation.ts';
import { withDefaults } from '../../cell/mesos/protobuf/with-defaults.ts';
import { NO_SHARED, SHARED } from '../shared.ts';
import { withoutEmptyLists } from './protobuf-json.ts';

interface Pair {
  readonly message: 'master.Response' | 'master.Event' | 'scheduler.Event';
  readonly protobuf: string;
  readonly json: JsonObject;
}

const pairs: readonly Pair[] = JSON.parse(
  readFileSync(join(import.meta.dirname, 'mesos/protobuf-1.11.0.json'), 'utf8'),
);

describe('the bytes of a real Mesos', () => {
  it.each(pairs.map((pair) => ({ ...pair, type: pair.json['type'] })))(
    '$message $type',
    ({ message, protobuf, json }) => {
      const type = messageType(message);
      const read = decode(type, Buffer.from(protobuf, 'base64'));
      // Nobody but Mesos itself adds the defaults.
      const shown = message === 'scheduler.Event' ? read : withDefaults(type, read);
      expect(shown).toEqual(withoutEmptyLists(json));
      expect(decode(type, encode(type, read))).toEqual(read);
    },
  );
});

interface Recorded {
  readonly name: string;
  readonly type: MessageType;
  readonly json: JsonObject;
}

/** JSON that was recorded on a real Mesos 1.11.0, once for each type of message in a file. */
function recordedJson(folder: string): Recorded[] {
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as JsonObject[];
  const objects = (type: MessageType, values: readonly unknown[]) =>
    values.filter(isJsonObject).map((json) => ({ name: `${type.name} ${json['type']}`, type, json }));
  const session = read('scheduler-session.json');
  return [
    ...objects(
      SCHEDULER_EVENT,
      session.filter(({ kind }) => kind === 'event').map(({ data }) => data),
    ),
    ...objects(
      SCHEDULER_CALL,
      session.filter(({ kind }) => kind === 'call').map(({ data }) => data),
    ),
    ...objects(
      OPERATOR_CALL,
      read('operator-calls.json').map(({ call }) => call),
    ),
    ...objects(
      OPERATOR_RESPONSE,
      read('operator-calls.json').map(({ body }) => body),
    ),
    ...objects(
      OPERATOR_EVENT,
      read('operator-stream.json').map(({ event }) => event),
    ),
  ];
}

const folder = join(SHARED ?? '', 'contracts/mesos/recorded-1.11.0');

describe('JSON of a real Mesos survives protobuf', () => {
  if (SHARED === undefined || !existsSync(folder)) {
    it.skip(NO_SHARED, () => undefined);
    return;
  }
  it.each(recordedJson(folder))('$name', ({ type, json }) => {
    expect(decode(type, encode(type, fromJson(type, json)))).toEqual(withoutEmptyLists(json));
  });
});
