import { describe, expect, it } from '@jest/globals';
import type { Expected, ObservedApp } from './drift.ts';
import { FINE, type Health, healthAfter, healthRuleOf, healthSeen, illnessSentence } from './health.ts';
import type { RevisionSpec } from './revision-app.ts';

const SPEC: RevisionSpec = {
  environment: 'prod',
  service: 'web',
  revision: 'r8',
  bundle: 'b-8',
  image: 'registry:5000/web@sha256:8',
  env: {},
  cpus: 0.1,
  memoryMiB: 64,
  healthPath: '/healthz',
  startSeconds: 30,
  instances: 0,
};
const RULE = healthRuleOf(SPEC);
const BEGIN = Date.parse('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(BEGIN + seconds * 1000).toISOString();

/** Seconds since the begin, and how many of how many are healthy then; nothing for a look that learnt nothing. */
type Look = readonly [seconds: number, healthy?: number, wanted?: number];

function after(...looks: readonly Look[]): Health {
  return looks.reduce<Health>((health, [seconds, healthy, wanted = 4]) => {
    const seen = healthy === undefined ? undefined : { at: at(seconds), healthy, wanted };
    return healthAfter(health, seen, RULE.graceSeconds);
  }, FINE);
}

describe('how a revision does, by one look after the other', () => {
  const cases: readonly { readonly name: string; readonly looks: readonly Look[]; readonly is: string }[] = [
    {
      name: 'all are healthy',
      looks: [
        [0, 4],
        [8, 4],
      ],
      is: 'fine',
    },
    { name: 'none is wanted', looks: [[0, 0, 0]], is: 'fine' },
    { name: 'more are healthy than there should be', looks: [[0, 5]], is: 'fine' },
    {
      name: 'one was lost just now',
      looks: [
        [0, 4],
        [8, 3],
      ],
      is: 'ailing since 8',
    },
    {
      name: 'one was lost, and the grace is not over',
      looks: [
        [0, 3],
        [30, 3],
        [59, 3],
      ],
      is: 'ailing since 0',
    },
    {
      name: 'one was lost and replaced in time',
      looks: [
        [0, 3],
        [30, 3],
        [59, 3],
        [60, 4],
      ],
      is: 'fine',
    },
    {
      name: 'too few for as long as the grace',
      looks: [
        [0, 3],
        [30, 3],
        [60, 3],
      ],
      is: 'ill since 0',
    },
    {
      name: 'never the same ones, but always too few',
      looks: [
        [0, 3],
        [30, 1],
        [60, 3],
      ],
      is: 'ill since 0',
    },
    {
      name: 'healthy for a moment: the clock begins anew',
      looks: [
        [0, 3],
        [50, 4],
        [58, 3],
        [100, 3],
      ],
      is: 'ailing since 58',
    },
    { name: 'a look that learns nothing changes nothing', looks: [[0, 3], [30], [59, 3]], is: 'ailing since 0' },
    { name: 'and calls nothing ill', looks: [[0, 3], [30, 3], [61]], is: 'ailing since 0' },
    { name: 'which the next one does', looks: [[0, 3], [30, 3], [61], [62, 3]], is: 'ill since 0' },
    { name: 'not seen for a minute: the clock begins anew', looks: [[0, 3], [30], [61, 3]], is: 'ailing since 61' },
    {
      name: 'as many as there should be once fewer are wanted',
      looks: [
        [0, 3],
        [60, 3, 3],
      ],
      is: 'fine',
    },
  ];

  it.each(cases)('$name', ({ looks, is }) => {
    const health = after(...looks);
    const since = health.state === 'fine' ? '' : ` since ${(Date.parse(health.since) - BEGIN) / 1000}`;
    expect(`${health.state}${since}`).toBe(is);
  });
});

describe('what a look at the apps of a service says of the new revision', () => {
  const EXPECTED: Expected = {
    environment: 'prod',
    service: 'web',
    revisions: [
      { spec: SPEC, instances: 4 },
      { spec: { ...SPEC, revision: 'r7' }, instances: 4 },
    ],
    weights: { r7: 90, r8: 10 },
    configVersion: 0,
    bounds: null,
    tolerated: [],
  };
  const app = (revision: string, instances: number, healthy?: number): ObservedApp => ({
    appId: `/prod/web/${revision}`,
    instances,
    edited: [],
    ...(healthy === undefined ? {} : { healthy }),
  });
  const cases: readonly {
    readonly name: string;
    readonly apps: readonly ObservedApp[] | undefined;
    readonly is: string;
  }[] = [
    { name: 'what Marathon counts', apps: [app('r7', 4, 0), app('r8', 4, 3)], is: '3 of 4' },
    { name: 'fewer, scaled down by hand', apps: [app('r8', 2, 2)], is: '2 of 2' },
    { name: 'more, scaled up by hand: they may take their time', apps: [app('r8', 9, 4)], is: '4 of 4' },
    { name: 'nothing is wanted of an app that was deleted by hand', apps: [app('r7', 4, 4)], is: '0 of 0' },
    { name: 'nothing where Marathon does not answer', apps: undefined, is: 'nothing' },
    { name: 'nothing where it counts nothing', apps: [app('r8', 4)], is: 'nothing' },
  ];

  it.each(cases)('$name', ({ apps, is }) => {
    const seen = healthSeen(EXPECTED, apps, 'r8', at(0));
    expect(seen ? `${seen.healthy} of ${seen.wanted}` : 'nothing').toBe(is);
    expect(seen?.at ?? at(0)).toBe(at(0));
  });
});

describe('the sentence', () => {
  it('says how many, since when, and what Marathon says', () => {
    const ill = { state: 'ill', since: at(0), seen: at(60), healthy: 1, wanted: 4 } as const;
    expect(illnessSentence('prod', RULE, ill, 'last failure: TASK_FAILED exit status 1')).toBe(
      'r8 in prod has 1 of 4 instances healthy, and too few since 2026-01-01T00:00:00.000Z, longer than the 60 s that replacing one may take: last failure: TASK_FAILED exit status 1',
    );
  });
});
