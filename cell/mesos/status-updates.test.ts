import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { TaskStatus } from '../../activities/mesos/types.ts';
import { remembered, UpdateQueue } from './status-updates.ts';

const status = (uuid: string): TaskStatus => ({ task_id: { value: 't' }, state: 'TASK_RUNNING', uuid });

function queue(pending: TaskStatus[] = []) {
  const sent: string[] = [];
  const updates = new UpdateQueue({ pending, send: ({ uuid }) => sent.push(uuid ?? '') });
  return { sent, updates };
}

describe('UpdateQueue', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('withholds the next update until the first is acknowledged', () => {
    const { sent, updates } = queue();
    updates.push(status('a'));
    updates.push(status('b'));
    expect(sent).toEqual(['a']);
    expect(updates.acknowledge('b')).toBe(false);
    expect(updates.acknowledge('a')).toBe(true);
    expect(updates.acknowledge('a')).toBe(false);
    expect(sent).toEqual(['a', 'b']);
    expect(updates.pending.map(({ uuid }) => uuid)).toEqual(['b']);
  });

  it('repeats after 10 s, 20 s, 40 s, and never less often than every 10 min', () => {
    const { sent, updates } = queue();
    updates.push(status('a'));
    const copies = (ms: number) => {
      jest.advanceTimersByTime(ms);
      return sent.length;
    };
    expect([copies(9_999), copies(1), copies(19_999), copies(1), copies(40_000)]).toEqual([1, 2, 2, 3, 4]);
    const before = copies(3_600_000);
    expect(copies(600_000)).toBe(before + 1);
    updates.acknowledge('a');
    expect(copies(3_600_000)).toBe(before + 1);
  });

  it('starts from what was pending, when told to', () => {
    const { sent, updates } = queue([status('a'), status('b')]);
    expect(sent).toEqual([]);
    updates.resend();
    updates.resend();
    expect(sent).toEqual(['a', 'a']);
    jest.advanceTimersByTime(10_000);
    expect(sent).toEqual(['a', 'a', 'a']);
  });

  it('forgets everything when cleared, nothing when stopped', () => {
    const { sent, updates } = queue([status('a')]);
    updates.resend();
    updates.stop();
    jest.advanceTimersByTime(60_000);
    expect([sent.length, updates.pending.length]).toEqual([1, 1]);
    updates.clear();
    expect(updates.pending).toEqual([]);
  });
});

describe('remembered', () => {
  const is = (state: TaskStatus['state'], uuid: string): TaskStatus => ({ ...status(uuid), state });
  const [starting, one, two, three] = [
    is('TASK_STARTING', 's'),
    is('TASK_RUNNING', '1'),
    is('TASK_RUNNING', '2'),
    is('TASK_RUNNING', '3'),
  ];

  it('is the newest status of each state, when all are acknowledged', () => {
    expect(remembered([starting, one, two, three, is('TASK_FAILED', 'f')], [])).toEqual([
      starting,
      three,
      is('TASK_FAILED', 'f'),
    ]);
  });

  it('is what was acknowledged last too, while the newest is not', () => {
    expect(remembered([starting, one, two, three], [three])).toEqual([starting, two, three]);
    expect(remembered([one, two, three], [two, three])).toEqual([one, two, three]);
  });
});
