import { describe, expect, it } from '@jest/globals';
import { fromJson } from './from-json.ts';
import { messageType, SCHEDULER_CALL } from './messages.ts';

const refuseSeconds = (value: unknown) => ({ decline: { filters: { refuse_seconds: value } } });
const offerIds = (value: unknown) => ({ decline: { offer_ids: value } });

describe('JSON is read', () => {
  it.each<[string, object, object]>([
    ['without what has no field', { type: 'REVIVE', other: { deep: 1 } }, { type: 'REVIVE' }],
    ['without null', { type: null, ...refuseSeconds(null) }, { decline: { filters: {} } }],
    ['without an unknown word', { type: 'NOPE' }, {}],
    ['with numbers that were strings', refuseSeconds('1.5'), refuseSeconds(1.5)],
    ['with what follows such a number ignored', refuseSeconds('1x'), refuseSeconds(1)],
    ['with infinity', refuseSeconds('-Infinity'), refuseSeconds(Number.NEGATIVE_INFINITY)],
    ['with one for a list of one', offerIds({ value: 'x' }), offerIds([{ value: 'x' }])],
    ['with lists of lists as one', offerIds([[{ value: 'x' }], null]), offerIds([{ value: 'x' }])],
    [
      'with base64 in its usual form',
      { acknowledge: { agent_id: { value: 'a' }, task_id: { value: 't' }, uuid: 'AP8Q\nAA' } },
      { acknowledge: { agent_id: { value: 'a' }, task_id: { value: 't' }, uuid: 'AP8QAA==' } },
    ],
  ])('%s', (_, value, message) => {
    expect(fromJson(SCHEDULER_CALL, value)).toEqual(message);
  });

  it('with whole numbers cut, booleans from strings, and maps', () => {
    expect(fromJson(messageType('CommandInfo.URI'), { value: 'u', cache: 'true' })).toEqual({
      value: 'u',
      cache: true,
    });
    expect(fromJson(messageType('TimeInfo'), { nanoseconds: 1.9 })).toEqual({ nanoseconds: 1 });
    const quantities = { cpus: { value: '2', extra: 1 } };
    expect(fromJson(messageType('OfferFilters.ResourceQuantities'), { quantities })).toEqual({
      quantities: { cpus: { value: 2 } },
    });
  });
});

describe('JSON that is no such message is refused in the words of a real Mesos 1.11.0', () => {
  it.each<[unknown, string]>([
    [[], 'Expecting a JSON object'],
    ['x', 'Expecting a JSON object'],
    [
      refuseSeconds('abc'),
      "Failed to parse 'abc' as a JSON number for field 'refuse_seconds': syntax error at line 1 near: abc",
    ],
    [
      refuseSeconds(''),
      "Failed to parse '' as a JSON number for field 'refuse_seconds': syntax error at line 1 near: ",
    ],
    [
      refuseSeconds('true'),
      "Failed to parse 'true' as a JSON number for field 'refuse_seconds': Unexpected JSON type parsed",
    ],
    [refuseSeconds(true), "Not expecting a JSON boolean for field 'refuse_seconds'"],
    [refuseSeconds([]), "Not expecting a JSON array for field 'refuse_seconds'"],
    [refuseSeconds({}), "Not expecting a JSON object for field 'refuse_seconds'"],
    [offerIds([1]), "Not expecting a JSON number for field 'offer_ids'"],
    [offerIds('x'), "Not expecting a JSON string for field 'offer_ids'"],
    [offerIds([{ value: 5 }]), "Not expecting a JSON number for field 'value'"],
    [offerIds([{ value: null }]), 'Missing required fields: decline.offer_ids[0].value'],
    [{ type: 5 }, "Not expecting a JSON number for field 'type'"],
    [{ type: ['DECLINE'] }, "Not expecting a JSON array for field 'type'"],
    [{ type: {} }, "Not expecting a JSON object for field 'type'"],
    [
      { kill: { kill_policy: { grace_period: {} } } },
      'Missing required fields: kill.task_id, kill.kill_policy.grace_period.nanoseconds',
    ],
    [
      { subscribe: { framework_info: { user: 'u', name: 'n', checkpoint: 'yes' } } },
      "Failed to parse 'yes' as a JSON boolean for field 'checkpoint': syntax error at line 1 near: yes",
    ],
    [
      { acknowledge: { agent_id: { value: 'a' }, task_id: { value: 't' }, uuid: 'A!' } },
      "Failed to base64 decode bytes field 'uuid': Invalid character '!'",
    ],
    [
      { accept: { operations: { launch: { task_infos: { resources: { name: 'cpus', type: 'NOPE' } } } } } },
      "Failed to find enum for 'NOPE'",
    ],
  ])('%j', (value, complaint) => {
    expect(() => fromJson(SCHEDULER_CALL, value)).toThrow(new Error(complaint));
  });

  it('of several complaints with that of the first name', () => {
    expect(() => fromJson(SCHEDULER_CALL, { type: 1, kill: 2, accept: 3 })).toThrow("number for field 'accept'");
  });
});
