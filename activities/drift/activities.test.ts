import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { Expected, Observed } from '../../domain/drift.ts';
import { createDriftActivities } from './activities.ts';

const EXPECTED: Expected = {
  environment: 'prod',
  service: 'web',
  revisions: [],
  weights: {},
  configVersion: 2,
  bounds: null,
  tolerated: [],
};
const KNOWN = [{ kind: 'config', wanted: 2, found: 3 }] as const;
const AWAY = ApplicationFailure.retryable('Consul: no answer', 'SystemUnavailable');

type Places = Required<Pick<Observed, 'configVersion' | 'bounds'>>;

/** Activities whose looks see one place after another, the last one for ever. */
function looking(...places: readonly (Places | ApplicationFailure)[]) {
  let looks = 0;
  const activities = createDriftActivities(
    {
      apps: async () => [],
      traffic: async () => ({ traffic: null, servers: [] }),
      places: async () => {
        const seen = places[Math.min(looks++, places.length - 1)];
        if (!seen || seen instanceof ApplicationFailure) throw seen;
        return seen;
      },
    },
    { secondLookMs: 1 },
  );
  const run = <I, O>(activity: (input: I) => Promise<O>, input: I) =>
    new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity, input);
  return {
    find: () => run(activities.findDrift, { expected: EXPECTED }),
    watch: (known: readonly (typeof KNOWN)[number][] = []) =>
      run(activities.watchDrift, { expected: EXPECTED, known }).catch((error: unknown) => error),
    looks: () => looks,
  };
}

const at = (configVersion: number): Places => ({ configVersion, bounds: null });
const NOTHING_NEW = expect.objectContaining({ type: 'NothingNew', category: ApplicationFailureCategory.BENIGN });

describe('watchDrift', () => {
  it('tells what two looks have seen', async () => {
    expect(await looking(at(3)).watch()).toEqual(KNOWN);
  });

  it('asks for the next look, by a failure that is none, where nothing differs', async () => {
    const { looks, watch } = looking(at(2));
    expect(await watch()).toEqual(NOTHING_NEW);
    expect(looks()).toBe(1);
  });

  it('takes what one look alone has seen for a hiccup', async () => {
    const { looks, watch } = looking(at(3), at(2));
    expect(await watch()).toEqual(NOTHING_NEW);
    expect(looks()).toBe(2);
  });

  it('sees nothing in a system that gives no answer', async () => {
    expect(await looking(AWAY).watch()).toEqual(NOTHING_NEW);
    expect(await looking(at(3), AWAY).watch()).toEqual(NOTHING_NEW);
  });

  it('goes on while what is known stays, also while its system is away', async () => {
    expect(await looking(at(3)).watch(KNOWN)).toEqual(NOTHING_NEW);
    expect(await looking(AWAY).watch(KNOWN)).toEqual(NOTHING_NEW);
  });

  it('tells when what is known has changed, or was put right by hand', async () => {
    expect(await looking(at(4)).watch(KNOWN)).toEqual([{ kind: 'config', wanted: 2, found: 4 }]);
    expect(await looking(at(2)).watch(KNOWN)).toEqual([]);
  });

  it('fails where the environment is not configured any more', async () => {
    const gone = ApplicationFailure.nonRetryable('no Marathon is configured', 'UnknownEnvironment');
    expect(await looking(gone).watch()).toBe(gone);
  });
});

describe('findDrift', () => {
  it('answers in any case', async () => {
    expect(await looking(at(3)).find()).toEqual(KNOWN);
    expect(await looking(at(2)).find()).toEqual([]);
    expect(await looking(at(3), at(2)).find()).toEqual([]);
    expect(await looking(AWAY).find()).toEqual([]);
  });
});
