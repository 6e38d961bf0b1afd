import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CalendarWindow, isTimeZone, openingOf, WEEKDAYS } from './window.ts';

const WORKDAYS = WEEKDAYS.slice(0, 5);

function window(over: Partial<CalendarWindow>): CalendarWindow {
  return { environments: ['prod'], days: WORKDAYS, from: '09:00', to: '17:00', zone: 'Asia/Shanghai', ...over };
}

/** `open`, or when it opens. */
function said(windows: readonly CalendarWindow[], at: string, environment = 'prod'): string {
  const opening = openingOf(windows, environment, at);
  return opening.open ? 'open' : (opening.opensAt ?? 'never');
}

describe('openingOf', () => {
  it('is always open where there are no windows, and where none is about the environment', () => {
    expect(said([], '2026-11-28T00:00:00Z')).toBe('open');
    expect(said([window({})], '2026-11-28T00:00:00Z', 'fat')).toBe('open');
  });

  // 2026-11-26 is a Thursday; Shanghai is at UTC+8 all the year.
  it.each([
    ['a minute too early', '2026-11-26T00:59:59Z', '2026-11-26T01:00:00.000Z'],
    ['the first moment', '2026-11-26T01:00:00Z', 'open'],
    ['the last moment', '2026-11-26T08:59:59.999Z', 'open'],
    ['the moment it closes', '2026-11-26T09:00:00Z', '2026-11-27T01:00:00.000Z'],
    ['Friday evening', '2026-11-27T10:00:00Z', '2026-11-30T01:00:00.000Z'],
    ['Sunday in UTC, Monday in Shanghai', '2026-11-29T23:00:00Z', '2026-11-30T01:00:00.000Z'],
  ])('office hours: %s', (_, at, expected) => {
    expect(said([window({})], at)).toBe(expected);
  });

  it.each([
    ['before it opens', '2026-11-27T21:59:00Z', '2026-11-27T22:00:00.000Z'],
    ['on the evening', '2026-11-27T22:00:00Z', 'open'],
    ['after midnight, on a day that is not listed', '2026-11-28T05:59:59Z', 'open'],
    ['when it closes', '2026-11-28T06:00:00Z', '2026-12-04T22:00:00.000Z'],
    ['in the early hours of the listed day itself', '2026-11-27T03:00:00Z', '2026-11-27T22:00:00.000Z'],
  ])('over midnight, named by the day on which it opens: %s', (_, at, expected) => {
    expect(said([window({ days: ['fri'], from: '22:00', to: '06:00', zone: 'UTC' })], at)).toBe(expected);
  });

  it.each([
    ['00:00', '24:00', '2026-11-28T00:00:00.000Z'],
    ['00:00', '00:00', '2026-11-28T00:00:00.000Z'],
  ])('a whole day, from %s to %s', (from, to, next) => {
    const saturday = [window({ days: ['sat'], from, to, zone: 'UTC' })];
    expect(said(saturday, '2026-11-27T23:59:59Z')).toBe(next);
    expect(said(saturday, '2026-11-28T00:00:00Z')).toBe('open');
    expect(said(saturday, '2026-11-28T23:59:59Z')).toBe('open');
    expect(said(saturday, '2026-11-29T00:00:00Z')).toBe('2026-12-05T00:00:00.000Z');
  });

  it('opens by the first of several windows', () => {
    const windows = [window({ from: '14:00' }), window({ days: ['thu'], from: '10:00', to: '12:00' })];
    expect(said(windows, '2026-11-26T01:00:00Z')).toBe('2026-11-26T02:00:00.000Z');
    expect(said(windows, '2026-11-26T04:00:00Z')).toBe('2026-11-26T06:00:00.000Z');
  });

  describe('where clocks change', () => {
    // Berlin: forward on 2026-03-29 at 01:00 UTC (02:00 becomes 03:00), back on 2026-10-25 at 01:00 UTC (03:00 becomes 02:00).
    const berlin = (from: string, to: string) => [window({ days: ['sun'], from, to, zone: 'Europe/Berlin' })];

    it.each([
      ['the day before, by the winter clock', berlin('09:00', '17:00'), '2026-03-28T12:00:00Z', '2026-03-29T07:00:00Z'],
      ['the day before, by the summer clock', berlin('09:00', '17:00'), '2026-10-24T12:00:00Z', '2026-10-25T08:00:00Z'],
      [
        'it begins in the hour that is skipped',
        berlin('02:30', '05:00'),
        '2026-03-29T00:00:00Z',
        '2026-03-29T01:00:00Z',
      ],
      ['it lies in the hour that is skipped', berlin('02:00', '02:30'), '2026-03-28T12:00:00Z', '2026-04-05T00:00:00Z'],
      [
        'the hour that comes twice: the first time',
        berlin('02:00', '02:30'),
        '2026-10-24T23:00:00Z',
        '2026-10-25T00:00:00Z',
      ],
      [
        'the hour that comes twice: the second time',
        berlin('02:00', '02:30'),
        '2026-10-25T00:30:00Z',
        '2026-10-25T01:00:00Z',
      ],
      [
        'it had closed and is wound back into',
        berlin('00:00', '02:30'),
        '2026-10-25T00:45:00Z',
        '2026-10-25T01:00:00Z',
      ],
    ])('%s', (_, windows, at, expected) => {
      expect(said(windows, at)).toBe(new Date(expected).toISOString());
    });

    it('is open over the whole of a hour that comes twice', () => {
      for (const at of ['2026-10-25T00:15:00Z', '2026-10-25T01:15:00Z']) {
        expect(said(berlin('02:00', '02:30'), at)).toBe('open');
      }
    });

    it('knows a zone that left a whole day out', () => {
      // Samoa had no 30 December 2011, a Friday.
      const fridays = [window({ days: ['fri'], zone: 'Pacific/Apia' })];
      expect(said(fridays, '2011-12-30T09:00:00Z')).toBe('2012-01-05T19:00:00.000Z');
    });
  });

  it('opens exactly when it says, and not a minute before', () => {
    const time = fc.record({ hour: fc.integer({ min: 0, max: 23 }), minute: fc.integer({ min: 0, max: 59 }) });
    const text = ({ hour, minute }: { hour: number; minute: number }) =>
      `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
    const windows = fc.record({
      environments: fc.constant(['prod']),
      days: fc.uniqueArray(fc.constantFrom(...WEEKDAYS), { minLength: 1 }),
      from: time.map(text),
      to: time.map(text),
      zone: fc.constantFrom('UTC', 'Asia/Shanghai', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'),
    });
    const minute = 60_000;
    const at = fc
      .integer({ min: Date.parse('2026-01-01T00:00:00Z') / minute, max: Date.parse('2027-01-01T00:00:00Z') / minute })
      .map((minutes) => minutes * minute);
    fc.assert(
      fc.property(windows, at, (one, from) => {
        const opening = openingOf([one], 'prod', new Date(from).toISOString());
        if (opening.open || opening.opensAt === undefined) return;
        const opens = Date.parse(opening.opensAt);
        expect(opens).toBeGreaterThan(from);
        expect(said([one], new Date(opens).toISOString())).toBe('open');
        expect(said([one], new Date(opens - minute).toISOString())).toBe(opening.opensAt);
      }),
      { numRuns: 300 },
    );
  });
});

describe('isTimeZone', () => {
  it.each([
    ['Asia/Shanghai', true],
    ['UTC', true],
    ['Mars/Olympus', false],
    ['', false],
  ])('%s: %s', (zone, expected) => {
    expect(isTimeZone(zone)).toBe(expected);
  });
});
