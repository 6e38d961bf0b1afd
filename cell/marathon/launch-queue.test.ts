import { describe, expect, it } from '@jest/globals';
import type { Offer } from '../../activities/mesos/types.ts';
import { LaunchQueue, lastOffersSummary, launchAttemptSummary } from './launch-queue.ts';

const offer = (id: string, agent: string): Offer => ({
  id: { value: id },
  framework_id: { value: 'F' },
  agent_id: { value: agent },
  hostname: agent,
  resources: [],
  attributes: [],
});

const ref = (appId: string, generation = 'g') => ({ appId, generation });

describe('LaunchQueue', () => {
  it('says when there is more to do', () => {
    const queue = new LaunchQueue();
    expect(queue.setCount(ref('/a'), 2, 100)).toBe(true);
    expect(queue.setCount(ref('/a'), 2, 200)).toBe(false);
    expect(queue.setCount(ref('/a'), 3, 300)).toBe(true);
    expect(queue.setCount(ref('/a'), 1, 400)).toBe(false);
    expect(queue.get(ref('/a'))).toMatchObject({ count: 1, sinceMs: 100 });
    queue.setCount(ref('/a'), 0, 500);
    expect(queue.isEmpty).toBe(true);
  });

  it('counts down with each start and keeps the order of arrival', () => {
    const queue = new LaunchQueue();
    queue.setCount(ref('/b'), 2, 0);
    queue.setCount(ref('/a'), 1, 1);
    queue.used(ref('/b'), 2);
    expect(queue.entries().map(({ appId, count }) => [appId, count])).toEqual([
      ['/b', 1],
      ['/a', 1],
    ]);
    queue.used(ref('/b'), 3);
    expect(queue.get(ref('/b'))).toBeUndefined();
  });

  it('sums offers up as a funnel: each counts at every reason up to its own', () => {
    const queue = new LaunchQueue();
    queue.setCount(ref('/a'), 5, 0);
    queue.rejected(ref('/a'), offer('o1', 'S0'), 'UnfulfilledConstraint', 1);
    queue.rejected(ref('/a'), offer('o2', 'S1'), 'InsufficientCpus', 2);
    queue.rejected(ref('/a'), offer('o3', 'S1'), 'InsufficientCpus', 3);
    queue.used(ref('/a'), 4);
    const offers = queue.offers('/a');
    expect(offers).toMatchObject({ processed: 4, unused: 3, lastUnusedMs: 3, lastUsedMs: 4 });
    const lines = (summary: ReturnType<typeof lastOffersSummary>) =>
      summary.map(({ reason, declined, processed }) => `${reason} ${declined}/${processed}`);
    expect(lines(launchAttemptSummary(offers))).toEqual([
      'UnfulfilledRole 0/4',
      'UnfulfilledConstraint 1/4',
      'NoCorrespondingReservationFound 0/3',
      'AgentMaintenance 0/3',
      'InsufficientCpus 2/3',
      'InsufficientMemory 0/1',
      'InsufficientDisk 0/1',
      'InsufficientGpus 0/1',
      'InsufficientPorts 0/1',
      'DeclinedScarceResources 0/1',
    ]);
    // By agent: S0 constraint, S1 cpus once; S2 never did not fit.
    expect(lines(lastOffersSummary(offers)).slice(0, 6)).toEqual([
      'UnfulfilledRole 0/2',
      'UnfulfilledConstraint 1/2',
      'NoCorrespondingReservationFound 0/1',
      'AgentMaintenance 0/1',
      'InsufficientCpus 1/1',
      'InsufficientMemory 0/0',
    ]);
  });

  it('counts on when an app comes back, and begins anew after a purge', () => {
    const queue = new LaunchQueue();
    queue.setCount(ref('/a'), 1, 100);
    queue.rejected(ref('/a'), offer('o1', 'S0'), 'InsufficientCpus', 150);
    queue.used(ref('/a'), 200);
    queue.setCount(ref('/b'), 1, 250);
    expect(queue.setCount(ref('/a'), 1, 300)).toBe(true);
    expect(queue.get(ref('/a'))).toMatchObject({ count: 1, sinceMs: 100 });
    expect(queue.offers('/a')).toMatchObject({ processed: 2, unused: 1 });
    expect(queue.entries().map(({ appId }) => appId)).toEqual(['/b', '/a']);
    queue.allowed(ref('/a'), 350);
    expect(queue.get(ref('/a'))).toMatchObject({ sinceMs: 100, allowedSinceMs: 350 });
    queue.purge('/a');
    queue.setCount(ref('/a'), 1, 400);
    expect(queue.get(ref('/a'))).toMatchObject({ count: 1, sinceMs: 400 });
    expect(queue.offers('/a')).toMatchObject({ processed: 0, unused: 0 });
  });

  it('lets a new configuration take the place of the former', () => {
    const queue = new LaunchQueue();
    queue.setCount(ref('/a', 'old'), 2, 100);
    expect(queue.setCount(ref('/a', 'new'), 1, 200)).toBe(false);
    expect(queue.entries()).toEqual([{ ...ref('/a', 'new'), count: 1, sinceMs: 100, allowedSinceMs: 100 }]);
  });

  it('keeps the former configuration beside the new one where it is told to, and begins anew after the last start', () => {
    const counts: unknown[] = [];
    const counted = ({ generation }: { readonly generation: string }, count: number) =>
      counts.push([generation, count]);
    const queue = new LaunchQueue({ keepsFormer: true, counted });
    queue.setCount(ref('/a', 'old'), 1, 100);
    expect(queue.setCount(ref('/a', 'new'), 1, 200)).toBe(true);
    queue.used(ref('/a', 'old'), 300);
    expect(queue.entries().map(({ generation }) => generation)).toEqual(['new']);
    queue.setCount(ref('/a', 'old'), 1, 400);
    expect(queue.get(ref('/a', 'old'))).toMatchObject({ sinceMs: 400 });
    expect(queue.offers('/a')).toMatchObject({ processed: 1 });
    queue.clear('/a', 500);
    expect([queue.isEmpty, queue.offers('/a').processed]).toEqual([true, 1]);
    expect(counts).toEqual([
      ['old', 1],
      ['new', 1],
      ['old', 1],
      ['new', 0],
      ['old', 0],
    ]);
  });
});
