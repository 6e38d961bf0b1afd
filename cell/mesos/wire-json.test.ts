import { describe, expect, it } from '@jest/globals';
import { double, wireJson } from './wire-json.ts';

describe('wireJson', () => {
  it.each([
    [{ scalar: { value: 4 } }, '{"scalar":{"value":4.0}}'],
    [{ scalar: { value: 0.1 } }, '{"scalar":{"value":0.1}}'],
    [{ value: 'text' }, '{"value":"text"}'],
    [{ port: 5050, range: [{ begin: 1, end: 2 }] }, '{"port":5050,"range":[{"begin":1,"end":2}]}'],
    [{ heartbeat_interval_seconds: 15 }, '{"heartbeat_interval_seconds":15.0}'],
    [{ nanoseconds: 1e18 }, '{"nanoseconds":1000000000000000000}'],
    [{ rack: double(2), none: undefined }, '{"rack":2.0}'],
  ])('%#', (value, text) => {
    expect(wireJson(value)).toBe(text);
  });
});
