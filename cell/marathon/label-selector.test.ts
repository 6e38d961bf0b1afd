import { describe, expect, it } from '@jest/globals';
import { parseLabelSelector } from './label-selector.ts';

const LABELS = { tier: 'web', env: 'prod', 'a.b': 'c d' };

describe('parseLabelSelector', () => {
  it.each([
    ['tier', true],
    ['none', false],
    ['tier==web', true],
    ['tier == web', true],
    ['tier==api', false],
    ['tier!=api', true],
    ['tier!=web', false],
    ['none!=web', false],
    ['tier in (api, web)', true],
    ['tier in (api)', false],
    ['tier notin (api)', true],
    ['tier notin (api,web)', false],
    ['tier==web,env==prod', true],
    ['tier==web, env==uat', false],
    ['tier in (web), env', true],
    ['a.b==c\\ d', true],
    ['internal', false],
  ])('%s: %s', (selector, expected) => {
    expect(parseLabelSelector(selector)(LABELS)).toBe(expected);
  });

  it.each([
    ['z in', "'(' expected but end of source found"],
    ['z in (a', "')' expected but end of source found"],
    ['z==', 'end of input expected'],
    ['z a', 'end of input'],
    ['', 'end of input expected'],
  ])('refuses %j', (selector, reason) => {
    expect(() => parseLabelSelector(selector)).toThrow(`Can not parse label selector ${selector}. Reason: `);
    expect(() => parseLabelSelector(selector)).toThrow(reason);
  });
});
