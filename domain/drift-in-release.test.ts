import { describe, expect, it } from '@jest/globals';
import type { Difference } from './drift.ts';
import { refuseInRelease } from './drift-in-release.ts';

const SCALED: Difference = { kind: 'scaled', revision: 'r2', wanted: 2, found: 4 };
const EDITED: Difference = { kind: 'edited', revision: 'r1', fields: ['mem'] };
const CONFIG: Difference = { kind: 'config', wanted: 1, found: 2 };
const TRAFFIC: Difference = { kind: 'traffic-deleted', wanted: { r1: 100 } };

describe('refuseInRelease', () => {
  it.each([
    ['adopt', [SCALED], false, undefined],
    ['adopt', [SCALED, CONFIG], false, undefined],
    ['adopt', [SCALED, CONFIG], true, 'NotAdoptable'],
    ['adopt', [TRAFFIC], false, 'NotAdoptable'],
    ['adopt', [EDITED], false, 'NotAdoptable'],
    ['revert', [SCALED, CONFIG, TRAFFIC], true, undefined],
    ['revert', [SCALED, EDITED], false, 'NotAdoptable'],
  ] as const)('%s %j (shared: %j): %j', (verb, found, shared, type) => {
    expect(refuseInRelease(verb, found, shared)?.type).toBe(type);
  });
});
