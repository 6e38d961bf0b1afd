import { describe, expect, it } from '@jest/globals';
import { upgradeBounds, upgradeMove } from './upgrade.ts';

describe('upgradeBounds', () => {
  it.each([
    // instances, running now, min, over, kill at once, most that may exist
    [4, 4, 1, 1, 0, 8],
    [4, 4, 1, 0, 0, 5],
    [4, 4, 1, 0.5, 0, 6],
    [4, 4, 0.5, 0, 2, 4],
    [4, 4, 0.5, 0.5, 2, 6],
    [4, 4, 0.5, 1, 2, 8],
    [4, 4, 0, 0, 4, 4],
    [4, 4, 0, 1, 4, 8],
    [3, 3, 0.5, 0.5, 1, 4],
    [10, 10, 0.5, 0.2, 5, 12],
    [10, 10, 0.75, 0.25, 2, 12],
    [1, 1, 1, 1, 0, 2],
    [1, 1, 1, 0, 0, 2],
    [1, 1, 0, 0, 1, 1],
    // Doubles, not decimals: 100 * 0.07 is 7.000000000000001.
    [100, 100, 0.07, 0, 92, 100],
    // Fewer wanted than run: more end at once.
    [2, 4, 1, 0, 2, 3],
    [2, 4, 1, 1, 2, 4],
    // Nothing runs: nothing to kill.
    [3, 0, 1, 1, 0, 6],
    // Not the extra one while fewer run than may.
    [4, 2, 1, 0, 0, 4],
  ])(
    '%i instances, %i running, minimum %d, over %d: %i end at once, %i may exist',
    (instances, current, min, over, killNow, maxCapacity) => {
      const strategy = { minimumHealthCapacity: min, maximumOverCapacity: over };
      expect(upgradeBounds(instances, current, strategy)).toEqual({ killNow, maxCapacity });
    },
  );

  it('makes room for volumes by ending one more instead of adding one', () => {
    const strategy = { minimumHealthCapacity: 1, maximumOverCapacity: 0 };
    expect(upgradeBounds(4, 4, strategy, { resident: true })).toEqual({ killNow: 1, maxCapacity: 4 });
  });
});

/** Plays an upgrade in which kills, starts and health follow each move one at a time; a new leader may find it under way. */
function play(instances: number, min: number, over: number, found = { old: instances, ready: 0 }) {
  const all = found.old + found.ready;
  const bounds = upgradeBounds(instances, all, { minimumHealthCapacity: min, maximumOverCapacity: over });
  const now = { oldRunning: found.old, oldKilling: 0, starting: 0, ready: found.ready };
  const seen = { fewest: all, most: all, moves: 0 };
  for (; seen.moves < 1000; seen.moves += 1) {
    const move = upgradeMove(bounds, {
      instances,
      oldAtStart: found.old,
      oldRunning: now.oldRunning,
      oldExisting: now.oldRunning + now.oldKilling,
      newExisting: now.starting + now.ready,
      newReady: now.ready,
      readyAtStart: found.ready,
    });
    if (move.done) return { ...seen, ready: now.ready, old: now.oldRunning + now.oldKilling };
    now.oldRunning -= move.kill;
    now.oldKilling += move.kill;
    now.starting += move.queue;
    seen.fewest = Math.min(seen.fewest, now.oldRunning + now.ready);
    seen.most = Math.max(seen.most, now.oldRunning + now.oldKilling + now.starting + now.ready);
    // One thing happens: an old one is gone, or else a new one is ready.
    if (now.oldKilling > 0) now.oldKilling -= 1;
    else if (now.starting > 0) {
      now.starting -= 1;
      now.ready += 1;
    }
  }
  return { ...seen, ready: now.ready, old: now.oldRunning + now.oldKilling };
}

describe('upgradeMove', () => {
  it.each([
    // As recorded from Marathon 1.7.236: fewest running and not being killed, most existing.
    [4, 1, 1, 4, 8],
    [4, 1, 0, 4, 5],
    [4, 0.5, 0, 2, 4],
    [4, 0, 0, 0, 4],
    [3, 0.5, 0.5, 2, 4],
    [1, 1, 1, 1, 2],
    [1, 0, 0, 0, 1],
    [10, 0.75, 0.25, 8, 12],
  ])(
    '%i instances, minimum %d, over %d: never fewer than %i, never more than %i',
    (instances, min, over, fewest, most) => {
      expect(play(instances, min, over)).toMatchObject({ fewest, most, ready: instances, old: 0 });
    },
  );

  it('ends for every strategy, and keeps its promises', () => {
    for (let instances = 1; instances <= 12; instances += 1) {
      for (const min of [0, 0.3, 0.5, 0.75, 1]) {
        for (const over of [0, 0.2, 0.5, 1]) {
          const played = play(instances, min, over);
          expect(played).toMatchObject({ ready: instances, old: 0 });
          expect(played.fewest).toBeGreaterThanOrEqual(Math.ceil(instances * min));
          expect(played.most).toBeLessThanOrEqual(Math.max(Math.trunc(instances * (1 + over)), instances + 1));
        }
      }
    }
  });

  it.each([
    [4, 1, 1, { old: 4, ready: 2 }],
    [4, 1, 1, { old: 3, ready: 3 }],
    [4, 1, 0, { old: 4, ready: 1 }],
    [4, 0.5, 0.5, { old: 2, ready: 3 }],
    [10, 0.75, 0.25, { old: 8, ready: 4 }],
    [2, 1, 1, { old: 1, ready: 2 }],
  ])(
    'goes on with %i instances, minimum %d, over %d, from %j, and keeps its promise',
    (instances, min, over, found) => {
      const played = play(instances, min, over, found);
      expect(played).toMatchObject({ ready: instances, old: 0 });
      expect(played.fewest).toBeGreaterThanOrEqual(Math.ceil(instances * min));
    },
  );

  it('does not move while new instances never get ready', () => {
    const bounds = upgradeBounds(2, 2, { minimumHealthCapacity: 1, maximumOverCapacity: 0.5 });
    const stuck = {
      instances: 2,
      oldAtStart: 2,
      oldRunning: 2,
      oldExisting: 2,
      newExisting: 1,
      newReady: 0,
      readyAtStart: 0,
    };
    expect(upgradeMove(bounds, stuck)).toEqual({ kill: 0, queue: 0, done: false });
  });
});
