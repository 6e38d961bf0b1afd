import { describe, expect, it } from '@jest/globals';
import { duration, durationText, memory, percent } from './quantities.ts';

describe('duration', () => {
  it.each([
    ['90s', 90],
    ['10m', 600],
    ['1h', 3600],
    ['0s', 0],
    ['24h', 86_400],
  ])('reads %s as %d seconds', (text, seconds) => {
    expect(duration(0, 86_400).parse(text)).toBe(seconds);
  });

  it.each(['', '10', '10 m', '1.5h', '-5s', 's', '1h30m', '10M', '25h', 90])('refuses %p', (text) => {
    expect(duration(0, 86_400).safeParse(text).success).toBe(false);
  });

  it('names its bounds', () => {
    expect(duration(60, 3600).safeParse('5s').error?.issues[0]?.message).toBe('must be between 1m and 1h');
  });

  it.each([0, 1, 59, 60, 90, 3600, 5400, 7200])('writes %d seconds so that they read back', (seconds) => {
    expect(duration(0, 86_400).parse(durationText(seconds))).toBe(seconds);
  });
});

describe('percent', () => {
  it.each([
    ['5%', 5],
    ['0.5%', 0.5],
    ['100%', 100],
    ['0%', 0],
  ])('reads %s as %d', (text, share) => {
    expect(percent().parse(text)).toBe(share);
  });

  it.each(['5', '5 %', '-1%', '101%', '0.0001%', '%', 5])('refuses %p', (text) => {
    expect(percent().safeParse(text).success).toBe(false);
  });
});

describe('memory', () => {
  it.each([
    ['64MiB', 64],
    ['2GiB', 2048],
  ])('reads %s as %d MiB', (text, amount) => {
    expect(memory(8, 4096).parse(text)).toBe(amount);
  });

  it.each(['64M', '64MB', '64', '7MiB', '5GiB', '1.5GiB', 64])('refuses %p', (text) => {
    expect(memory(8, 4096).safeParse(text).success).toBe(false);
  });
});
