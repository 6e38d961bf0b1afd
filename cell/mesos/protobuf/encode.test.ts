import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import {
  messageType,
  OPERATOR_CALL,
  OPERATOR_EVENT,
  OPERATOR_RESPONSE,
  SCHEDULER_CALL,
  SCHEDULER_EVENT,
} from './messages.ts';
import type { Field, MessageType, Scalar } from './notation.ts';

/** Any message of a type, with all that is required, down to a depth. */
function anyMessage(type: MessageType, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = type.fields.filter(({ rule, type: of }) => rule === 'required' || depth > 0 || typeof of === 'string');
  const requiredKeys = fields.filter(({ rule }) => rule === 'required').map(({ name }) => name);
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, anyField(field, depth)])), { requiredKeys });
}

function anyField({ rule, type }: Field, depth: number): fc.Arbitrary<unknown> {
  const value = anyValue(type, depth);
  if (rule === 'repeated') return fc.array(value, { minLength: 1, maxLength: 2 });
  if (rule === 'map')
    return fc.dictionary(fc.string({ minLength: 1 }), value, { minKeys: 1, maxKeys: 2, noNullPrototype: true });
  return value;
}

function anyValue(type: Field['type'], depth: number): fc.Arbitrary<unknown> {
  if (typeof type === 'string') return anyScalar(type);
  return type.kind === 'enumeration' ? fc.constantFrom(...type.numbers.keys()) : anyMessage(type, depth - 1);
}

function anyScalar(type: Scalar): fc.Arbitrary<unknown> {
  switch (type) {
    case 'bool':
      return fc.boolean();
    case 'string':
      return fc.string({ unit: 'grapheme' });
    case 'bytes':
      return fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64'));
    case 'double':
      return fc.double({ noNaN: true });
    case 'int32':
      return fc.integer();
    case 'uint32':
      return fc.nat({ max: 2 ** 32 - 1 });
    case 'int64':
      return fc.maxSafeInteger();
    case 'uint64':
      return fc.maxSafeNat();
  }
}

describe('what is written can be read again', () => {
  it.each([SCHEDULER_CALL, SCHEDULER_EVENT, OPERATOR_CALL, OPERATOR_RESPONSE, OPERATOR_EVENT])('$name', (type) => {
    fc.assert(
      fc.property(anyMessage(type, 4), (message) => {
        expect(decode(type, encode(type, message))).toEqual(message);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a message is written', () => {
  it.each<[string, Parameters<typeof messageType>[0], object, string]>([
    [
      'with what its JSON has',
      'master.Response',
      { type: 'GET_HEALTH', get_health: { healthy: true } },
      '080112020801',
    ],
    ['without what is undefined or has no field', 'Label', { key: 'k', value: undefined, other: 1 }, '0a016b'],
    ['with a default that is said', 'Filters', { refuse_seconds: 0 }, '090000000000000000'],
    ['with numbers given as strings', 'TimeInfo', { nanoseconds: '1795698830541586432' }, '08 808090b0a8d2e6f518'],
    ['without empty lists', 'Value.Set', { item: [] }, ''],
  ])('%s', (_, name, message, bytes) => {
    expect(Buffer.from(encode(messageType(name), message)).toString('hex')).toBe(bytes.replaceAll(' ', ''));
  });

  it.each<[Parameters<typeof messageType>[0], object, string]>([
    ['AgentID', {}, 'AgentID lacks value'],
    ['AgentID', { value: 5 }, 'value: 5 is none of its values'],
    ['TaskStatus', { task_id: { value: 't' }, state: 'TASK_DREAMING' }, 'state: "TASK_DREAMING" is none of its values'],
    ['Filters', { refuse_seconds: 'soon' }, 'refuse_seconds: "soon" is none of its values'],
    ['FrameworkInfo', { user: 'u', name: 'n', checkpoint: 1 }, 'checkpoint: 1 is none of its values'],
    ['FrameworkInfo', { user: 'u', name: 'n', id: 'x' }, 'id: "x" is none of its values'],
  ])('as %s only if it is one: %j', (name, message, complaint) => {
    expect(() => encode(messageType(name), message)).toThrow(complaint);
  });
});
