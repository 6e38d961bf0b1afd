import { describe, expect, it } from '@jest/globals';
import { durationText } from './duration.ts';

describe('durationText', () => {
  it.each([
    [0, '0ns'],
    [0.0005, '500ns'],
    [0.25, '250us'],
    [50, '50ms'],
    [1.5, '1500us'],
    [1_000, '1secs'],
    [1_500, '1500ms'],
    [15_000, '15secs'],
    [90_000, '90secs'],
    [600_000, '10mins'],
    [5_400_000, '90mins'],
    [86_400_000, '1days'],
    [10 * 86_400_000, '10days'],
    [14 * 86_400_000, '2weeks'],
    [60_000.25, '1.00000416666667mins'],
  ])('%d ms is %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});
