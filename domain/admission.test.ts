import { describe, expect, it } from '@jest/globals';
import { type Asking, type Lineup, lineUp, type WhenBusy } from './admission.ts';

const ask = (holder: string, whenBusy: WhenBusy = 'wait'): Asking => ({ holder, whenBusy });
const back = (holder: string): Asking => ({ holder, whenBusy: 'wait', back: true });
const NOTHING: Omit<Lineup<Asking>, 'queue'> = { answerNow: false, superseded: [], tellHolder: false };

describe('lineUp', () => {
  it.each<readonly [string, Asking, string | undefined, readonly Asking[], boolean, Lineup<Asking>]>([
    ['a free lane', ask('a'), undefined, [], false, { ...NOTHING, queue: [ask('a')] }],
    ['a lane that is held', ask('b'), 'a', [ask('c')], false, { ...NOTHING, queue: [ask('c'), ask('b')] }],
    ['a release that waits already', ask('c'), 'a', [ask('c')], false, { ...NOTHING, queue: [ask('c')] }],
    ['the holder again', ask('a'), 'a', [ask('c')], false, { ...NOTHING, queue: [ask('c')], answerNow: true }],
    ['one that will not wait', ask('b', 'refuse'), 'a', [], false, { ...NOTHING, queue: [], answerNow: true }],
    [
      'one that will not wait, a free lane',
      ask('b', 'refuse'),
      undefined,
      [],
      false,
      { ...NOTHING, queue: [ask('b', 'refuse')] },
    ],
    [
      'one that will not wait, a change open',
      ask('b', 'refuse'),
      undefined,
      [],
      true,
      { ...NOTHING, queue: [], answerNow: true },
    ],
    [
      'one that supersedes',
      ask('d', 'supersede'),
      'a',
      [ask('b'), ask('c', 'supersede')],
      false,
      {
        queue: [ask('d', 'supersede')],
        answerNow: false,
        superseded: [ask('b'), ask('c', 'supersede')],
        tellHolder: true,
      },
    ],
    [
      'one that supersedes, but no way back',
      ask('d', 'supersede'),
      undefined,
      [back('r'), ask('b')],
      true,
      { queue: [back('r'), ask('d', 'supersede')], answerNow: false, superseded: [ask('b')], tellHolder: false },
    ],
    [
      'a way back, before all that go forward',
      back('s'),
      'a',
      [back('r'), ask('b')],
      true,
      { ...NOTHING, queue: [back('r'), back('s'), ask('b')] },
    ],
  ])('%s', (_, request, holder, queue, drifts, expected) => {
    expect(lineUp(request, { holder, queue, drifts })).toEqual(expected);
  });
});
