import { describe, expect, it } from '@jest/globals';
import { type Freeze, type FreezeScope, firstEnd, freezeFor, isOver, scopeText } from './freeze.ts';

const AT = '2026-11-26T12:00:00Z';

function freeze(id: string, scope: FreezeScope, until?: string): Freeze {
  return { id, scope, by: 'ann', reason: 'an incident', at: AT, ...(until === undefined ? {} : { until }) };
}

describe('freezeFor', () => {
  it.each<[string, FreezeScope, string | undefined, boolean]>([
    ['all stops everything', {}, 'prod', true],
    ['all stops what is outside every environment', {}, undefined, true],
    ['an environment stops what happens there', { environment: 'prod' }, 'prod', true],
    ['an environment stops nothing elsewhere', { environment: 'prod' }, 'fat', false],
    ['an environment does not stop a build', { environment: 'prod' }, undefined, false],
    ['a service is stopped everywhere', { service: 'sample' }, 'fat', true],
    ['a service is stopped outside every environment', { service: 'sample' }, undefined, true],
    ['another service is not stopped', { service: 'other' }, 'prod', false],
    ['a service in an environment is stopped there', { environment: 'prod', service: 'sample' }, 'prod', true],
    ['a service in an environment is not stopped elsewhere', { environment: 'prod', service: 'sample' }, 'fat', false],
    ['another service in the environment is not stopped', { environment: 'prod', service: 'other' }, 'prod', false],
  ])('%s', (_, scope, environment, stopped) => {
    const found = freezeFor([freeze('f', scope)], { environment, service: 'sample' }, AT);
    expect(found !== undefined).toBe(stopped);
  });

  it('names the one that lasts longest, and none that is over', () => {
    const freezes = [
      freeze('over', {}, '2026-11-26T12:00:00Z'),
      freeze('short', {}, '2026-11-26T12:00:01Z'),
      freeze('long', { environment: 'prod' }, '2026-11-27T00:00:00Z'),
      freeze('elsewhere', { environment: 'fat' }),
    ];
    const where = { environment: 'prod', service: 'sample' };
    expect(freezeFor(freezes, where, AT)?.id).toBe('long');
    expect(freezeFor([...freezes, freeze('endless', { service: 'sample' })], where, AT)?.id).toBe('endless');
    expect(freezeFor(freezes, where, '2026-11-27T00:00:00Z')).toBeUndefined();
  });
});

describe('isOver', () => {
  it.each([
    ['without an end', undefined, false],
    ['before its end', '2026-11-26T12:00:00.001Z', false],
    ['at its end', AT, true],
  ])('%s', (_, until, over) => {
    expect(isOver(freeze('f', {}, until), AT)).toBe(over);
  });
});

it('knows when the first one ends by itself', () => {
  expect(firstEnd([])).toBeUndefined();
  expect(firstEnd([freeze('f', {})])).toBeUndefined();
  const ends = [freeze('f', {}), freeze('g', {}, '2026-11-28T00:00:00Z'), freeze('h', {}, '2026-11-27T00:00:00Z')];
  expect(firstEnd(ends)).toBe('2026-11-27T00:00:00.000Z');
});

it.each<[FreezeScope, string]>([
  [{}, 'everything'],
  [{ environment: 'prod' }, 'everything in prod'],
  [{ service: 'sample' }, 'sample'],
  [{ environment: 'prod', service: 'sample' }, 'sample in prod'],
])('says %j in words', (scope, text) => {
  expect(scopeText(scope)).toBe(text);
});
