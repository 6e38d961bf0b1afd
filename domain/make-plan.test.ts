import { describe, expect, it } from '@jest/globals';
import type { Environment } from './environment.ts';
import type { Freeze } from './freeze.ts';
import { makePlan, type PlanInput } from './make-plan.ts';
import type { Manifest } from './manifest.ts';
import { isLastIn, type Plan, stepEnvironment } from './plan.ts';
import type { Veto } from './veto.ts';

const environments: Environment[] = [
  { name: 'fat', tier: 'integration' },
  { name: 'uat', tier: 'integration' },
  { name: 'prod', tier: 'production' },
];

const manifest: Manifest = {
  slipway: 'v1',
  service: 'sample',
  version: '2.0.0',
  build: { pipeline: 'node', dockerfile: 'Dockerfile', context: '.', timeoutSeconds: 600 },
  run: { cpus: 0.1, memoryMiB: 64, healthPath: '/healthz', startSeconds: 30, env: {} },
  environments: [
    { name: 'fat', instances: 1, env: {} },
    { name: 'uat', instances: 1, env: {} },
    { name: 'prod', instances: 4, env: {} },
  ],
  tests: [{ name: 'contract', dockerfile: 'test/Dockerfile', environments: ['fat', 'uat'], timeoutSeconds: 60 }],
  release: {
    strategy: 'canary',
    canary: [
      { kind: 'instances', instances: 1 },
      { kind: 'weight', weight: 10 },
      { kind: 'hold', seconds: 10 },
      { kind: 'judge', name: 'errors' },
      { kind: 'weight', weight: 50 },
    ],
    rolling: { batchPercent: 25, surgePercent: 25 },
    metrics: { errors: { maxErrorPercent: 5, minRequests: 50, alpha: 0.01 } },
    approvals: { count: 1, expiresSeconds: 3600 },
    windows: [],
    bakeSeconds: 10,
    retryWithinSeconds: 0,
  },
  retention: { keepReleases: 3 },
};

const input = (over: Partial<PlanInput> = {}): PlanInput => ({
  manifest,
  manifestDigest: 'sha256:m',
  commit: 'c'.repeat(40),
  configVersion: 0,
  environments,
  running: {},
  configDiff: {},
  vetoes: {},
  freezes: [],
  ...over,
});

function planOf(over: Partial<PlanInput> = {}): Plan {
  const result = makePlan(input(over));
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.plan;
}

const ids = (plan: Plan) => plan.steps.map((step) => step.id);
const serving = { prod: { revision: 'r3', instances: 4, configVersion: 0 } };

describe('makePlan', () => {
  const situations: [string, Partial<PlanInput>, string[]][] = [
    [
      'the first release has no canary: there is nothing to compare with',
      {},
      [
        ...['build', 'deploy-fat', 'test-fat', 'deploy-uat', 'test-uat', 'promote', 'approve-prod'],
        ...['shift-prod', 'bake-prod', 'retire-prod'],
      ],
    ],
    [
      'a later release goes by the strategy',
      { running: serving },
      [
        ...['build', 'deploy-fat', 'test-fat', 'deploy-uat', 'test-uat', 'promote', 'approve-prod'],
        ...['shift-prod-1', 'hold-prod', 'judge-prod', 'shift-prod-2', 'shift-prod-3', 'bake-prod', 'retire-prod'],
      ],
    ],
    ['a release until fat is neither promoted nor approved', { until: 'fat' }, ['build', 'deploy-fat', 'test-fat']],
    ['a bundle is not built again', { until: 'fat', bundle: 'b-1' }, ['deploy-fat', 'test-fat']],
    [
      'an environment without tests is only deployed to',
      { until: 'uat', manifest: { ...manifest, tests: [] } },
      ['build', 'deploy-fat', 'deploy-uat'],
    ],
    [
      'no approval step where none is asked for',
      {
        running: serving,
        manifest: {
          ...manifest,
          release: { ...manifest.release, canary: [], approvals: { count: 0, expiresSeconds: 1 } },
          environments: manifest.environments.slice(2),
        },
      },
      ['build', 'promote', 'shift-prod', 'bake-prod', 'retire-prod'],
    ],
  ];
  it.each(situations)('%s', (_, over, expected) => {
    expect(ids(planOf(over))).toEqual(expected);
  });

  it('keeps the capacity that autoscaling has given', () => {
    const steps = planOf({ running: { prod: { ...serving.prod, instances: 7 } } }).steps;
    const shifts = steps.filter((step) => step.kind === 'shift');
    expect(shifts.map(({ instances, keep }) => [instances, keep])).toEqual([
      [1, 7],
      [4, 7],
      [7, 7],
    ]);
  });

  it('names what it replaces', () => {
    expect(planOf({ running: serving }).from).toEqual({ fat: null, uat: null, prod: serving.prod });
  });

  it('sums up what it changes, and how the configuration differs', () => {
    const configDiff = { prod: { from: 1, to: 2, added: [], removed: [], changed: ['A'] } };
    expect(planOf({ running: serving, configDiff })).toMatchObject({
      changes: [
        { environment: 'fat' },
        { environment: 'uat' },
        { environment: 'prod', starts: 4, weights: [10, 50, 100] },
      ],
      configDiff: { fat: null, uat: null, ...configDiff },
    });
  });

  it('numbers the steps of a kind that an environment has several of, and never meets another name', () => {
    const release = {
      ...manifest.release,
      canary: [
        { kind: 'approve', count: 2 },
        { kind: 'weight', weight: 20 },
      ],
    } as const;
    const plan = planOf({
      manifest: {
        ...manifest,
        release,
        environments: [
          { name: 'prod', instances: 2, env: {} },
          { name: 'prod-2', instances: 2, env: {} },
        ],
      },
      environments: [
        { name: 'prod', tier: 'production' },
        { name: 'prod-2', tier: 'production' },
      ],
      running: serving,
      bundle: 'b-1',
    });
    expect(ids(plan)).toEqual([
      ...['promote', 'approve-prod-1', 'approve-prod-3', 'shift-prod-1', 'shift-prod-3', 'bake-prod', 'retire-prod'],
      ...['approve-prod-2', 'shift-prod-2', 'bake-prod-2', 'retire-prod-2'],
    ]);
  });

  it('refuses a plan of 200 steps', () => {
    const rolling = (instances: number) =>
      makePlan(
        input({
          running: { prod: { ...serving.prod, instances } },
          manifest: {
            ...manifest,
            environments: [{ name: 'prod', instances, env: {} }],
            release: { ...manifest.release, strategy: 'rolling', rolling: { batchPercent: 0.1, surgePercent: 25 } },
          },
        }),
      );
    const longest = rolling(194);
    expect(longest.ok && longest.plan.steps.length).toBe(199);
    expect(rolling(195)).toEqual({
      ok: false,
      type: 'ManifestInvalid',
      errors: [{ path: 'release', message: expect.stringContaining('would have 200 steps') }],
    });
  });

  it.each<[string, Partial<PlanInput>]>([
    ['the commit', { commit: 'd'.repeat(40) }],
    ['the manifest', { manifestDigest: 'sha256:n' }],
    ['the config version', { configVersion: 3 }],
    ['the configuration', { configDiff: { prod: { from: 1, to: 2, added: ['A'], removed: [], changed: [] } } }],
    ['what runs now', { running: { prod: { ...serving.prod, revision: 'r4' } } }],
    ['the capacity that runs now', { running: { prod: { ...serving.prod, instances: 9 } } }],
    ['the config version that runs now', { running: { prod: { ...serving.prod, configVersion: 2 } } }],
  ])('has another digest when %s changes', (_, over) => {
    const base = planOf({ running: serving });
    expect(planOf({ running: serving, ...over }).digest).not.toBe(base.digest);
    expect(planOf({ running: serving }).digest).toBe(base.digest);
  });

  it('says where its bundle is vetoed, which leaves the digest as it is', () => {
    const veto = (bundle: string): Veto => ({
      ...{
        bundle,
        version: '2.0.0',
        release: 'release/sample/k1',
        reason: 'errors of 9 %',
        at: '2026-01-02T03:04:05Z',
      },
    });
    const vetoes = { fat: [veto('b-2')], prod: [veto('b-1'), veto('b-2')] };
    const free = planOf({ running: serving, bundle: 'b-1' });
    const vetoed = planOf({ running: serving, bundle: 'b-1', vetoes });
    expect(free).not.toHaveProperty('vetoes');
    expect(vetoed.vetoes).toEqual([
      {
        environment: 'prod',
        veto: veto('b-1'),
        sentence:
          '2.0.0 (b-1) was taken back from prod by release/sample/k1 at 2026-01-02T03:04:05Z: errors of 9 %; lift the veto or release a new version',
      },
    ]);
    expect(vetoed.digest).toBe(free.digest);
    // Not on the way, and not known before it was built.
    expect(planOf({ running: serving, bundle: 'b-1', vetoes, until: 'uat' })).not.toHaveProperty('vetoes');
    expect(planOf({ running: serving, vetoes })).not.toHaveProperty('vetoes');
  });

  it('says what is frozen on its way, which leaves the digest as it is', () => {
    const freeze = (id: string, scope: Freeze['scope']): Freeze => ({
      ...{ id, scope, by: 'bob', reason: 'audit', at: '2026-01-02T03:04:05Z' },
    });
    const [all, prod, fat, there] = [
      freeze('f1', {}),
      freeze('f2', { environment: 'prod', service: 'sample' }),
      freeze('f3', { environment: 'fat' }),
      freeze('f4', { service: 'sample' }),
    ];
    const elsewhere = [freeze('f5', { service: 'other' }), freeze('f6', { environment: 'moon' })];
    const freezes = [all, prod, fat, there, ...elsewhere];
    const frozen = planOf({ running: serving, freezes });
    expect(frozen.freezes).toEqual([
      { freeze: all, sentence: 'everything is frozen by bob: audit (f1)' },
      { freeze: prod, sentence: 'sample in prod is frozen by bob: audit (f2)' },
      { freeze: fat, sentence: 'everything in fat is frozen by bob: audit (f3)' },
      { freeze: there, sentence: 'sample is frozen by bob: audit (f4)' },
    ]);
    expect(frozen.digest).toBe(planOf({ running: serving }).digest);
    expect(planOf({ freezes, until: 'fat' }).freezes?.map(({ freeze: { id } }) => id)).toEqual(['f1', 'f3', 'f4']);
    expect(planOf({ freezes: elsewhere })).not.toHaveProperty('freezes');
  });

  it('lists every environment that is not configured', () => {
    const result = makePlan(input({ environments: [{ name: 'uat', tier: 'integration' }] }));
    expect(result).toMatchObject({
      ok: false,
      type: 'UnknownEnvironment',
      errors: [{ path: 'environments.fat' }, { path: 'environments.prod' }],
    });
  });

  it('refuses tests that would never run: production has none', () => {
    const [contract] = manifest.tests;
    const tests = contract ? [{ ...contract, environments: ['uat', 'prod'] }] : [];
    expect(makePlan(input({ manifest: { ...manifest, tests } }))).toEqual({
      ok: false,
      type: 'ManifestInvalid',
      errors: [{ path: 'tests.contract.environments[1]', message: expect.stringContaining('where no tests run') }],
    });
  });

  it('refuses an end of the way that the manifest does not name', () => {
    expect(makePlan(input({ until: 'mars' }))).toMatchObject({ ok: false, errors: [{ path: 'until' }] });
  });
});

describe('isLastIn', () => {
  it('is true once for every environment of a plan', () => {
    const { steps } = planOf({ running: serving });
    const last = steps.filter((_, index) => isLastIn(steps, index));
    expect(last.map(stepEnvironment)).toEqual(['fat', 'uat', 'prod']);
    expect(last.map((step) => step.id)).toEqual(['test-fat', 'test-uat', 'retire-prod']);
  });
});
