import { describe, expect, it } from '@jest/globals';
import {
  drainGraceMs,
  refuseDeactivation,
  refuseDrain,
  refuseGone,
  refuseReactivation,
  type Standing,
  standingOf,
} from './agent-orders.ts';
import type { AgentRecord } from './agent-registry.ts';

const record = (change: Partial<AgentRecord> = {}): AgentRecord => ({
  id: 'a',
  info: {},
  deactivated: false,
  ...change,
});
const drain = (state: 'DRAINING' | 'DRAINED') => ({ state, config: { mark_gone: false } });

describe('standingOf', () => {
  it.each<[AgentRecord | undefined, boolean, Standing]>([
    [undefined, false, 'unknown'],
    [undefined, true, 'registered'],
    [record(), true, 'registered'],
    [record(), false, 'recovered'],
    [record({ unreachableSince: 1 }), false, 'unreachable'],
    [record({ goneSince: 1 }), true, 'gone'],
    [record({ goneSince: 1, unreachableSince: 1 }), false, 'gone'],
  ])('%j, registered %j: %s', (known, registered, standing) => {
    expect(standingOf(known, registered)).toBe(standing);
  });
});

describe('orders', () => {
  const unknown = { status: 400, text: 'Unknown agent' };
  it.each<[Standing, boolean]>([
    ['registered', true],
    ['recovered', true],
    ['unreachable', true],
    ['gone', false],
    ['unknown', false],
  ])('to drain or deactivate an agent that is %s: %j', (standing, obeyed) => {
    expect(refuseDrain('a', standing, undefined)).toEqual(obeyed ? undefined : unknown);
    expect(refuseDeactivation(standing)).toEqual(obeyed ? undefined : unknown);
  });

  it('to drain are refused for a registered agent whose machine is in the maintenance schedule', () => {
    const machine = { hostname: 'h', ip: '10.0.0.1' };
    expect(refuseDrain('a', 'registered', machine)).toEqual({
      status: 400,
      text: 'Agent a is part of a maintenance schedule under Machine h (10.0.0.1)',
    });
    expect(refuseDrain('a', 'unreachable', machine)).toBeUndefined();
  });

  it.each<[AgentRecord | undefined, string | undefined]>([
    [undefined, 'Agent is not deactivated'],
    [record(), 'Agent is not deactivated'],
    [record({ deactivated: true }), undefined],
    [record({ deactivated: true, drain: drain('DRAINED') }), undefined],
    [record({ deactivated: true, drain: drain('DRAINING') }), 'Agent is still in the DRAINING state'],
  ])('to reactivate %j: %s', (known, text) => {
    expect(refuseReactivation(known)).toEqual(text && { status: 400, text });
  });

  it('to mark an agent gone are refused only when nobody knows it', () => {
    expect(refuseGone('a', 'unknown')).toEqual({ status: 404, text: "Agent 'a' not found" });
    for (const standing of ['registered', 'recovered', 'unreachable', 'gone'] as const) {
      expect(refuseGone('a', standing)).toBeUndefined();
    }
  });
});

describe('drainGraceMs', () => {
  it.each([
    [undefined, undefined, undefined],
    [5, undefined, undefined],
    [undefined, 10, 10],
    [5, 10, 5],
    [20, 10, 10],
    [5, 0, 0],
  ])('own %j, at most %j: %j', (own, max, graceMs) => {
    expect(drainGraceMs(own, max)).toBe(graceMs);
  });
});
