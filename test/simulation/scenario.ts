import type { StrategyName } from '../../domain/manifest.ts';
import { type Calendar, closedReleases, hasClosure } from './calendar.ts';
import { Chance } from './chance.ts';
import { type Click, controlClicks, endingClicks, isEnding } from './clicks.ts';
import { CANARIES, directedReleases } from './directed.ts';
import { CALM, type Outage, type Weather } from './faults.ts';
import { isTroubled, troubledReleases } from './on-the-way.ts';
import { hasRivals, rivalReleases } from './rivals.ts';
import type { HandEdit, ReleaseScript, Scenario } from './script.ts';
import type { Failing } from './stand-ins.ts';
import type { Behaviour } from './world/world.ts';

export type { ReleaseScript, Scenario } from './script.ts';

const GOOD: Behaviour = { errors: 0.001, sick: 0 };
const EVER = 1e9;

/** The run of a seed. */
export function scenarioOf(seed: number): Scenario {
  const chance = new Chance(seed);
  const instances = chance.pick('instances', [1, 2, 3, 4, 6]);
  return {
    seed,
    chance,
    service: `svc-${seed}`,
    instances,
    forgetful: chance.hits('forgetful', 0.08),
    requestsPerSecond: chance.weighted('load', [
      [90, 300],
      [10, 2],
    ]),
    goesBack: chance.hits('goes back', 0.3),
    releases: releasesOf(chance),
  };
}

function releasesOf(chance: Chance): readonly ReleaseScript[] {
  const count = chance.weighted('releases', [
    [55, 2],
    [45, 3],
  ]);
  const releases = Array.from({ length: count }, (_, index) => releaseOf(chance, index));
  if (isTroubled(chance)) return troubledReleases(chance, releases);
  if (hasRivals(chance)) return rivalReleases(chance, releases);
  return hasClosure(chance) ? closedReleases(chance, releases) : directedReleases(chance, releases);
}

function releaseOf(chance: Chance, index: number): ReleaseScript {
  const asked = (what: string) => `${what} of release ${index}`;
  const sick = chance.hits(asked('sick'), index === 0 ? 0.03 : 0.06) ? chance.pick(asked('how sick'), [1, 2, 99]) : 0;
  const bad = index > 0 && chance.hits(asked('errors'), 0.3);
  const figures = chance.weighted(asked('figures'), [
    [82, { figuresFor: EVER, figuresLate: 0 }],
    [8, { figuresFor: EVER, figuresLate: 3 }],
    [5, { figuresFor: 20, figuresLate: 0 }],
    [5, { figuresFor: -1, figuresLate: 0 }],
  ]);
  const clicks = clicksOf(chance, asked);
  const skips = clicks.some(({ say }) => say === 'skipAnalysis' || say === 'promoteFully');
  const skipsAnalysis = clicks.some(({ say }) => say === 'skipAnalysis');
  const imageGone = index > 0 && chance.hits(asked('image'), 0.06) ? chance.pick(asked('for'), [2, 8, EVER]) : 0;
  return {
    version: `${index + 1}.0.0`,
    source: chance.hits(asked('source'), 0.25) ? 'git' : 'bundle',
    configVersion: chance.below(asked('config'), 3),
    most: 10 + index,
    // Only a canary has something to skip.
    strategy: skips
      ? 'canary'
      : chance.weighted<StrategyName>(asked('strategy'), [
          [60, 'canary'],
          [12, 'rolling'],
          [12, 'blue-green'],
          [8, 'recreate'],
          [8, 'brutal'],
        ]),
    canary: chance.pick(asked('canary'), CANARIES),
    rolling: chance.pick(asked('rolling'), ['{ batch: 25%, surge: 25% }', '{ batch: 50%, surge: 0% }']),
    approvers: chance.weighted(asked('approvers'), [
      [75, 1],
      [15, 2],
      [10, 0],
    ]),
    behaviour: { errors: bad ? chance.pick(asked('how bad'), [0.08, 0.3, 1]) : GOOD.errors, sick },
    buildFails: failing(chance, asked('build'), 0.3),
    testsFail: failing(chance, asked('tests'), 0.07),
    retryWithin: chance.pick(asked('retry'), ['0s', '5m', '5m']),
    requestedBy: chance.hits(asked('who'), 0.04) ? 'eve' : 'ann',
    imageGone,
    // A judge waits for people only where it can't decide.
    ...(skipsAnalysis ? { figuresFor: -1, figuresLate: 0 } : figures),
    approval: chance.weighted(asked('approval'), [
      [92, 'given'],
      [4, 'rejected'],
      [4, 'never'],
    ]),
    clicks,
    // How often somebody looks for an image is no matter of the seed.
    weather: imageGone > 0 ? CALM : weatherOf(chance, asked),
    handEdit: index > 0 ? handEditOf(chance.seed, index) : undefined,
    expires: '2m',
    closure: undefined,
    illness: undefined,
    edit: undefined,
    bake: '60s',
    workerLostAt: workerLostAt(chance, asked),
  };
}

const HAND_EDITS: readonly HandEdit[] = (['instances', 'config', 'bounds'] as const).flatMap((what) =>
  (['adopt', 'revert'] as const).map((answer) => ({ what, answer })),
);

/** In one release of five, each kind in turn, so that a few dozen seeds have them all. */
const handEditOf = (seed: number, index: number): HandEdit | undefined =>
  (seed + index) % 5 === 1 ? HAND_EDITS[(Math.floor(seed / 5) + index) % HAND_EDITS.length] : undefined;

function failing(chance: Chance, what: string, probability: number): Failing {
  return chance.hits(what, probability) ? chance.pick<Failing>(`how ${what}`, ['once', 'always']) : 'never';
}

const RETRY: Click = { when: { wait: 'retry' }, say: 'retryStep', times: 1 };

function clicksOf(chance: Chance, asked: (what: string) => string): readonly Click[] {
  const ending = endingClicks(chance, asked);
  const first = ending.length > 0 ? ending : controlClicks(chance, asked);
  return chance.hits(asked('tries again'), 0.6) ? [...first, RETRY] : first;
}

/** Not where somebody also clicks: what is told to stop and then fails is never ended by the time-skipping server. */
function workerLostAt(chance: Chance, asked: (what: string) => string): number {
  if (clicksOf(chance, asked).some(isEnding) || !chance.hits(asked('worker'), 0.1)) return 0;
  return 1 + chance.below(asked('worker at'), 10);
}

function weatherOf(chance: Chance, asked: (what: string) => string): Weather {
  const share = chance.weighted(asked('weather'), [
    [30, 0],
    [50, 0.03],
    [20, 0.1],
  ]);
  if (!chance.hits(asked('outage'), 0.12)) return share === 0 ? CALM : { share, outages: [] };
  const outage: Outage = {
    system: chance.pick(asked('which is away'), ['marathon', 'consul', 'influx', 'registry', 'balancer', 'ledger']),
    from: chance.below(asked('away from'), 60),
    calls: chance.pick(asked('away for'), [3, 10, 90]),
  };
  return { share, outages: [outage] };
}

/** The manifest of a version. @param calendar of its windows; undefined for none */
export function manifestText(
  { service, instances }: Scenario,
  release: ReleaseScript,
  calendar: Pick<Calendar, 'windows'> | undefined,
): string {
  return `
slipway: v1
service: ${service}
version: ${release.version}
build: { pipeline: node }
run: { start: 30s }
environments: { fat: { instances: 1 }, prod: { instances: ${instances} } }
tests: { contract: { dockerfile: test/Dockerfile, environments: [fat], timeout: 60s } }
release:
  strategy: ${release.strategy}
  canary: ${release.canary}
  rolling: ${release.rolling}
  metrics: { strict: { maxErrors: 2%, maxErrorIncrease: 1% } }
  approvals: { count: ${release.approvers}, expires: ${release.expires} }
  windows: ${calendar?.windows ?? '[]'}
  bake: ${release.bake}
  retryWithin: ${release.retryWithin}
scale: { min: 1, max: ${release.most}, requestsPerSecondPerInstance: 20, downAfter: 30s }
`;
}
