import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Environment } from './environment.ts';
import type { Manifest } from './manifest.ts';
import { isLastIn, makePlan, type Plan, type PlanInput, stepEnvironment } from './plan.ts';

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
    canary: {
      instances: 1,
      weight: 10,
      holdSeconds: 10,
      judge: { maxErrorPercent: 5, minRequests: 50, alpha: 0.01 },
    },
    batches: [50, 100],
    bakeSeconds: 10,
    approvals: { count: 1, expiresSeconds: 3600 },
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
  built: false,
  ...over,
});

function planOf(over: Partial<PlanInput> = {}): Plan {
  const result = makePlan(input(over));
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.plan;
}

const ids = (plan: Plan) => plan.steps.map((step) => step.id);
const serving = { prod: { revision: 'r3', instances: 4 } };

describe('makePlan', () => {
  const situations: [string, Partial<PlanInput>, string[]][] = [
    [
      'the first release has no canary: there is nothing to compare with',
      {},
      [
        ...['build', 'deploy-fat', 'test-fat', 'deploy-uat', 'test-uat', 'promote', 'approve-prod'],
        ...['shift-prod-100', 'bake-prod', 'retire-prod'],
      ],
    ],
    [
      'a later release goes by canary and batches',
      { running: serving },
      [
        ...['build', 'deploy-fat', 'test-fat', 'deploy-uat', 'test-uat', 'promote', 'approve-prod'],
        ...['canary-prod', 'shift-prod-50', 'shift-prod-100', 'bake-prod', 'retire-prod'],
      ],
    ],
    ['a release until fat is neither promoted nor approved', { until: 'fat' }, ['build', 'deploy-fat', 'test-fat']],
    ['a bundle is not built again', { until: 'fat', built: true }, ['deploy-fat', 'test-fat']],
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
          release: { ...manifest.release, batches: [100], approvals: { count: 0, expiresSeconds: 1 } },
          environments: manifest.environments.slice(2),
        },
      },
      ['build', 'promote', 'canary-prod', 'shift-prod-100', 'bake-prod', 'retire-prod'],
    ],
  ];
  it.each(situations)('%s', (_, over, expected) => {
    expect(ids(planOf(over))).toEqual(expected);
  });

  it('keeps the capacity that autoscaling has given', () => {
    const steps = planOf({ running: { prod: { revision: 'r3', instances: 7 } } }).steps;
    expect(steps.filter((step) => step.kind === 'shift').map((step) => step.instances)).toEqual([4, 7]);
  });

  it('names the revisions it replaces', () => {
    expect(planOf({ running: serving }).from).toEqual({ fat: null, uat: null, prod: 'r3' });
  });

  it.each<[string, Partial<PlanInput>]>([
    ['the commit', { commit: 'd'.repeat(40) }],
    ['the manifest', { manifestDigest: 'sha256:n' }],
    ['the config version', { configVersion: 3 }],
    ['what runs now', { running: { prod: { revision: 'r4', instances: 4 } } }],
    ['the capacity that runs now', { running: { prod: { revision: 'r3', instances: 9 } } }],
  ])('has another digest when %s changes', (_, over) => {
    const base = planOf({ running: serving });
    expect(planOf({ running: serving, ...over }).digest).not.toBe(base.digest);
    expect(planOf({ running: serving }).digest).toBe(base.digest);
  });

  it('lists every environment that is not configured', () => {
    const result = makePlan(input({ environments: [{ name: 'uat', tier: 'integration' }] }));
    expect(result).toMatchObject({
      ok: false,
      type: 'UnknownEnvironment',
      errors: [{ path: 'environments.fat' }, { path: 'environments.prod' }],
    });
  });

  it('refuses an end of the way that the manifest does not name', () => {
    expect(makePlan(input({ until: 'mars' }))).toMatchObject({ ok: false, errors: [{ path: 'until' }] });
  });

  it('always ends production at 100 % with the capacity that served, and never repeats a step id', () => {
    const batches = fc
      .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 6 })
      .map((inner) => [...inner.sort((a, b) => a - b), 100]);
    fc.assert(
      fc.property(batches, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 50 }), (shares, wanted, now) => {
        const plan = planOf({
          manifest: {
            ...manifest,
            environments: [{ name: 'prod', instances: wanted, env: {} }],
            release: { ...manifest.release, batches: shares },
          },
          running: now > 0 ? { prod: { revision: 'r1', instances: now } } : {},
        });
        const shifts = plan.steps.filter((step) => step.kind === 'shift');
        expect(shifts.at(-1)).toMatchObject({ weight: 100, instances: Math.max(wanted, now) });
        expect(new Set(ids(plan)).size).toBe(plan.steps.length);
        expect(plan.steps.at(-1)?.kind).toBe('retire');
      }),
    );
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
