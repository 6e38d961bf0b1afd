import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { Expected, Observed } from '../../domain/drift.ts';
import { FINE, type Health } from '../../domain/health.ts';
import type { RevisionSpec } from '../../domain/revision-app.ts';
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
      instances: async () => 'exit status 1',
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

describe('watchDrift, where health is watched', () => {
  const SPEC: RevisionSpec = {
    ...{ environment: 'prod', service: 'web', revision: 'r8', bundle: 'b-8', image: 'web@sha256:8', env: {}, cpus: 1 },
    ...{ memoryMiB: 64, healthPath: '/', startSeconds: 30, instances: 0 },
  };
  const RULE = { revision: 'r8', graceSeconds: 60 };
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();
  const ailing = (since: number, seen: number): Health => ({
    ...{ state: 'ailing', since: at(since), seen: at(seen), healthy: 1, wanted: 4 },
  });

  /** One attempt. @param beat what the one before said with its last heartbeat */
  async function attempt(
    seconds: number,
    healthy: number | 'away',
    { beat, health = FINE, differs = false }: { beat?: Health; health?: Health; differs?: boolean } = {},
  ) {
    const { watchDrift } = createDriftActivities(
      {
        apps: async () => {
          if (healthy === 'away') throw AWAY;
          return [{ appId: '/prod/web/r8', instances: 4, healthy, edited: [] }];
        },
        instances: async ({ appId }) => `${appId} fails`,
        traffic: async () => ({ traffic: null, servers: [] }),
        places: async () => ({ configVersion: differs ? 3 : 2, bounds: null }),
      },
      { secondLookMs: 1 },
    );
    const environment = new MockActivityEnvironment(
      {
        currentAttemptScheduledTimestampMs: Date.parse(at(seconds)),
        ...(beat === undefined ? {} : { heartbeatDetails: beat }),
      },
      { logger: new DefaultLogger('ERROR') },
    );
    const beats: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => beats.push(details));
    const expected = { ...EXPECTED, revisions: [{ spec: SPEC, instances: 4 }] };
    const answer = await environment
      .run(watchDrift, { expected, known: [], health: { rule: RULE, health } })
      .catch((error: unknown) => error);
    return { answer, beats };
  }

  it('tells the next attempt since when too few are healthy, by the clock of the server', async () => {
    expect(await attempt(0, 1)).toEqual({ answer: NOTHING_NEW, beats: [ailing(0, 0)] });
    expect(await attempt(8, 1, { beat: ailing(0, 0) })).toEqual({ answer: NOTHING_NEW, beats: [ailing(0, 8)] });
    expect(await attempt(16, 4, { beat: ailing(0, 8) })).toEqual({ answer: NOTHING_NEW, beats: [FINE] });
    expect(await attempt(24, 4)).toEqual({ answer: NOTHING_NEW, beats: [] });
  });

  it('tells of a revision that is ill, with what Marathon says', async () => {
    const { answer } = await attempt(60, 1, { beat: ailing(0, 52) });
    expect(answer).toEqual({
      differences: [],
      health: { ...ailing(0, 60), state: 'ill' },
      why: '/prod/web/r8 fails',
    });
  });

  it('calls nothing ill that it can not see', async () => {
    expect((await attempt(60, 'away', { beat: ailing(0, 52) })).answer).toEqual(NOTHING_NEW);
  });

  it('goes on from what the watch before it has seen, and tells when that is over', async () => {
    const known = { health: ailing(0, 52) };
    expect((await attempt(60, 1, known)).answer).toMatchObject({ health: { state: 'ill', since: at(0) } });
    expect((await attempt(58, 4, known)).answer).toEqual({ differences: [], health: FINE });
  });

  it('tells of a difference at once, and how the revision does', async () => {
    const { answer } = await attempt(8, 1, { beat: ailing(0, 0), differs: true });
    expect(answer).toEqual({ differences: KNOWN, health: ailing(0, 8) });
  });
});
