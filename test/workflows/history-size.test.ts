/** How many events a release costs: a history ends at 51,200, and is read slowly long before. */
import { afterEach, expect, it, jest } from '@jest/globals';
import type { CanaryEntry } from '../../domain/manifest.ts';
import { releaseQuery } from '../../workflows/contract.ts';
import { approve, ended, released, rig, start, startRelease, until, world } from './release-rig.ts';

jest.setTimeout(300_000);
afterEach(() => rig.stop());

/** The bar is 400; the rest is for what a busy server puts between two steps. */
const MOST_EVENTS = 385;

const JUDGED = [5, 10, 25, 50].flatMap((weight): CanaryEntry[] => [
  { kind: 'weight', weight },
  { kind: 'hold', seconds: 10 },
  { kind: 'judge', name: 'errors' },
]);

it('a release of twenty steps, four of them judged, stays well under 400 events', async () => {
  await start();
  await released('1.0.0');
  const { release } = world.manifest;
  world.manifest = { ...world.manifest, release: { ...release, canary: [...JUDGED, { kind: 'approve', count: 1 }] } };
  const handle = await startRelease('2.0.0');
  await approve(handle);
  await until(handle, ({ steps }) => steps.some(({ kind, outcome }) => kind === 'shift' && outcome !== 'waiting'));
  while ((await handle.query(releaseQuery)).wait?.reason !== 'approval') await rig.passTime('5s');
  await approve(handle);
  const { outcome, view } = await ended(handle);
  expect({ outcome, steps: view.steps.length }).toEqual({ outcome: 'released', steps: 20 });
  const { events } = await handle.fetchHistory();
  expect(events?.length).toBeLessThan(MOST_EVENTS);
});
