import { describe, expect, it } from '@jest/globals';
import { callOf } from './faults.ts';
import { encode } from './protobuf/encode.ts';
import { SCHEDULER_CALL } from './protobuf/messages.ts';

const request = (body: string | Uint8Array, type: string, method = 'POST', path = '/api/v1/scheduler') => ({
  method,
  path,
  query: new URLSearchParams(),
  headers: { 'content-type': type },
  body: Buffer.from(body),
});

const nested = { framework_id: { value: 'f' }, accept: { operations: [{ type: 'LAUNCH' }] }, type: 'ACCEPT' };

describe('the call that a fault may be meant for', () => {
  it.each([
    ['in JSON', request(JSON.stringify(nested), 'application/json'), 'ACCEPT'],
    ['in protobuf', request(encode(SCHEDULER_CALL, nested), 'application/x-protobuf'), 'ACCEPT'],
    ["an operator's", request('\b\u0001', 'application/x-protobuf', 'POST', '/api/v1'), 'GET_HEALTH'],
    ['none, with no type', request('{}', 'application/json'), undefined],
    ['none, unreadable', request('{', 'application/json'), undefined],
    ['none, of another kind', request('{"type":"ACCEPT"}', 'text/plain'), undefined],
    ['none, of another method', request('{"type":"ACCEPT"}', 'application/json', 'GET'), undefined],
  ])('%s', (_, call, type) => {
    expect(callOf(call)).toBe(type);
  });
});
