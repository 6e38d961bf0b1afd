import { describe, expect, it } from '@jest/globals';
import { type MachineId, machineText, sameMachine } from './machine.ts';
import {
  downComplaint,
  type Maintenance,
  machineOf,
  NO_MAINTENANCE,
  type Schedule,
  scheduleComplaint,
  upComplaint,
  withDown,
  withSchedule,
  withUp,
} from './maintenance.ts';

const at = (start: number, duration?: number) => ({
  start: { nanoseconds: start },
  ...(duration === undefined ? {} : { duration: { nanoseconds: duration } }),
});
const window = (machine_ids: readonly MachineId[], start = 1, duration?: number) => ({
  machine_ids: [...machine_ids],
  unavailability: at(start, duration),
});
const schedule = (...windows: Schedule['windows']): Schedule => ({ windows });
const [a, b]: MachineId[] = [{ hostname: 'a' }, { hostname: 'b', ip: '10.0.0.2' }];
if (a === undefined || b === undefined) throw new Error('two machines');
const both = withSchedule(NO_MAINTENANCE, schedule(window([a, b])));
const modes = ({ machines }: Maintenance) => machines.map(({ id, mode }) => [id.hostname, mode]);

describe('machines', () => {
  it.each<[MachineId, MachineId, boolean]>([
    [{ hostname: 'A' }, { hostname: 'a' }, true],
    [{ hostname: 'a' }, { hostname: 'a', ip: '10.0.0.1' }, false],
    [{ ip: '10.0.0.1' }, { ip: '10.0.0.1' }, true],
    [{ hostname: 'a' }, { hostname: 'b' }, false],
  ])('%j and %j are the same: %j', (one, other, same) => {
    expect(sameMachine(one, other)).toBe(same);
  });

  it.each<[MachineId, string]>([
    [{ hostname: 'a', ip: '10.0.0.1' }, 'a (10.0.0.1)'],
    [{ hostname: 'a' }, 'a'],
    [{ ip: '10.0.0.1' }, '(10.0.0.1)'],
  ])('%j is called %s', (id, text) => {
    expect(machineText(id)).toBe(text);
  });
});

describe('scheduleComplaint', () => {
  it.each<[Schedule, Maintenance, string | undefined]>([
    [schedule(), NO_MAINTENANCE, undefined],
    [schedule(window([a]), window([b], 2, 5)), NO_MAINTENANCE, undefined],
    [schedule(window([])), NO_MAINTENANCE, 'List of machines in the maintenance window is empty'],
    [schedule(window([a], 1, -1)), NO_MAINTENANCE, "Unavailability 'duration' is negative"],
    [schedule(window([{}])), NO_MAINTENANCE, "Both 'hostname' and 'ip' for a machine are empty"],
    [schedule(window([{ ip: 'x' }])), NO_MAINTENANCE, 'Failed to parse IPv4: x'],
    [
      schedule(window([a]), window([{ hostname: 'A' }])),
      NO_MAINTENANCE,
      `Machine '{"hostname":"A"}' appears more than once in the schedule`,
    ],
    [
      schedule(window([a])),
      withDown(both, [b]),
      `Machine '{"hostname":"b","ip":"10.0.0.2"}' is deactivated and cannot be removed from the schedule`,
    ],
    [schedule(window([b])), withDown(both, [b]), undefined],
  ])('%#', (given, before, complaint) => {
    expect(scheduleComplaint(given, before)).toBe(complaint);
  });
});

describe('going down and up', () => {
  it.each<[MachineId[], Maintenance, string | undefined]>([
    [[a], both, undefined],
    [[], both, 'List of machines is empty'],
    [[a, a], both, `Machine '{"hostname":"a"}' appears more than once in the schedule`],
    [[a], NO_MAINTENANCE, `Machine '{"hostname":"a"}' is not part of a maintenance schedule`],
    [[a], withDown(both, [a]), `Machine '{"hostname":"a"}' is not in DRAINING mode and cannot be brought down`],
  ])('down %#', (ids, before, complaint) => {
    expect(downComplaint(ids, before, [])).toBe(complaint);
  });

  it.each<[MachineId[], Maintenance, string | undefined]>([
    [[a], withDown(both, [a]), undefined],
    [[a], both, `Machine '{"hostname":"a"}' is not in DOWN mode and cannot be brought up`],
    [[{}], both, "Both 'hostname' and 'ip' for a machine are empty"],
  ])('up %#', (ids, before, complaint) => {
    expect(upComplaint(ids, before, [])).toBe(complaint);
  });

  it('has another word for a machine that is up', () => {
    expect(downComplaint([a], NO_MAINTENANCE, [{ hostname: 'A' }])).toMatch('is not in DRAINING mode');
    expect(upComplaint([a], NO_MAINTENANCE, [a])).toMatch('is not in DOWN mode');
  });

  it('keeps modes over a new schedule, sets new times, and forgets what is not in it', () => {
    const down = withDown(both, [a]);
    const again = withSchedule(down, schedule(window([a], 7), window([{ hostname: 'c' }], 8)));
    expect(modes(again)).toEqual([
      ['a', 'DOWN'],
      ['c', 'DRAINING'],
    ]);
    expect(machineOf(again, a)?.unavailability).toEqual(at(7));
    expect(machineOf(again, b)).toBeUndefined();
  });

  it('takes a machine that is up out of its window, and an empty window out of the schedule', () => {
    const down = withDown(both, [a, b]);
    const one = withUp(down, [a]);
    expect(one.schedule.windows.map(({ machine_ids }) => machine_ids)).toEqual([[b]]);
    expect(modes(one)).toEqual([['b', 'DOWN']]);
    expect(withUp(one, [b])).toEqual(NO_MAINTENANCE);
  });
});
