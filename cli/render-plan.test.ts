import { describe, expect, it } from '@jest/globals';
import type { Plan } from '../domain/plan.ts';
import { renderPlan } from './render-plan.ts';

const digest = `sha256:${'9c'.repeat(32)}`;
const policy = { maxErrorPercent: 1, minRequests: 50, alpha: 0.01 };
const plan: Plan = {
  service: 'sample',
  version: '2.0.0',
  commit: 'abc123',
  manifestDigest: digest,
  configVersion: 0,
  from: { fat: null, prod: { revision: 'r3', instances: 4, configVersion: 0 } },
  steps: [
    { id: 'build', kind: 'build' },
    { id: 'deploy-fat', kind: 'deploy', environment: 'fat', instances: 1 },
    { id: 'test-fat', kind: 'test', environment: 'fat', suites: ['contract', 'smoke'] },
    { id: 'promote', kind: 'promote', tag: 'v2.0.0' },
    { id: 'approve-prod', kind: 'approve', environment: 'prod', count: 1, expiresSeconds: 3600 },
    {
      ...{
        id: 'shift-prod-1',
        kind: 'shift',
        environment: 'prod',
        order: 'up-first',
        weight: 5,
        instances: 1,
        keep: 4,
      },
      baseline: { instances: 1, weight: 5 },
    },
    { id: 'hold-prod', kind: 'hold', environment: 'prod', seconds: 60, watch: { name: 'errors', policy } },
    {
      ...{ id: 'judge-prod', kind: 'judge', environment: 'prod', name: 'errors', policy, seconds: 60 },
      moreSeconds: 120,
    },
    {
      ...{
        id: 'shift-prod-2',
        kind: 'shift',
        environment: 'prod',
        order: 'up-first',
        weight: 50,
        instances: 2,
        keep: 2,
      },
      baseline: null,
    },
    { id: 'bake-prod', kind: 'bake', environment: 'prod', seconds: 600 },
    { id: 'retire-prod', kind: 'retire', environment: 'prod' },
  ],
  changes: [
    { environment: 'fat', starts: 1, stops: null, baseline: 0, fewest: 0, most: 1, weights: [100] },
    {
      ...{ environment: 'prod', starts: 4, stops: { revision: 'r3', instances: 4 }, baseline: 1, fewest: 4, most: 8 },
      weights: [5, 50, 100],
    },
  ],
  configDiff: { fat: null, prod: { from: 3, to: 4, added: ['A'], removed: [], changed: ['B', 'C'] } },
  digest,
};

describe('a plan on the screen', () => {
  it('says what each step does, and its digest last', () => {
    expect(renderPlan(plan, { width: 140, language: 'en' })).toEqual([
      'Plan of sample 2.0.0',
      'commit abc123',
      '#   STEP          DOES',
      '1   build         builds and pushes the image',
      '2   deploy-fat    starts 1 instance in fat',
      '3   test-fat      runs contract, smoke against fat',
      '4   promote       tags the tested image v2.0.0',
      '5   approve-prod  waits for an approval to go on in prod, at most 1h 0m',
      '6   shift-prod-1  brings prod to 1 instance with 5 % of traffic, beside 1 fresh instance of the old revision with 5 %',
      '7   hold-prod     holds prod as it is for 1m 0s, watched by errors',
      '8   judge-prod    judges prod by errors against r3, at most 2m 0s longer',
      '9   shift-prod-2  brings prod to 2 instances with 50 % of traffic, 2 of the old revision stay',
      '10  bake-prod     keeps the old revision in prod warm for 10m 0s',
      '11  retire-prod   stops the old revision in prod, r3',
      'in fat 1 instance starts, nothing stops, none restarts; 0 to 1 run meanwhile; weights 100 %',
      'in prod 4 instances start, 4 of r3 stop, none restarts; 4 to 8 run meanwhile, a baseline of 1 among them; weights 5, 50, 100 %',
      'configuration of prod from version 3 to 4: adds A; changes B, C',
      `plan ${digest}`,
    ]);
  });

  it('says which keys go where no configuration is to come', () => {
    const prod = { from: 3, to: 0, added: [], removed: ['A', 'B'], changed: [] };
    for (const [language, line] of [
      ['en', 'configuration of prod from version 3 to none: removes A, B'],
      ['zh', 'prod 的配置从版本 3 到无：删除 A、B'],
    ] as const) {
      expect(renderPlan({ ...plan, configDiff: { prod } }, { width: 140, language }).at(-2)).toBe(line);
    }
  });

  it('says where the bundle is vetoed, and why', () => {
    const veto = { bundle: 'b-1', version: '2.0.0', release: 'release/sample/k1', reason: 'errors', at: '2026-01-02' };
    const vetoed = { ...plan, vetoes: [{ environment: 'prod', veto, sentence: 'it was taken back from prod' }] };
    for (const [language, line] of [
      ['en', 'vetoed: it was taken back from prod'],
      ['zh', '已否决：it was taken back from prod'],
    ] as const) {
      expect(renderPlan(vetoed, { width: 140, language }).at(-2)).toBe(line);
    }
  });

  it('says what is frozen on the way, and until when', () => {
    const freeze = { id: 'f1', scope: {}, by: 'bob', reason: 'audit', at: '2026-01-01T00:00:00Z' };
    const sentence = 'everything is frozen by bob: audit (f1)';
    const ends = { ...freeze, until: '2026-01-02T00:00:00Z' };
    const frozen = { ...plan, freezes: [freeze, ends].map((each) => ({ freeze: each, sentence })) };
    for (const [language, ...lines] of [
      ['en', `would wait: ${sentence}, until somebody lifts it`, `would wait: ${sentence}, until 2026-01-02T00:00:00Z`],
      ['zh', `将等待：${sentence}，直到有人解冻`, `将等待：${sentence}，直到 2026-01-02T00:00:00Z`],
    ] as const) {
      expect(renderPlan(frozen, { width: 140, language }).slice(-3, -1)).toEqual(lines);
    }
  });

  it('does not speak of an old revision where there is none', () => {
    const steps = plan.steps.map((step) => (step.kind === 'shift' ? { ...step, keep: 0 } : step));
    const first = { ...plan, steps, from: { fat: null, prod: null } };
    expect(renderPlan(first, { width: 140, language: 'en' }).slice(12, 14)).toEqual([
      '10  bake-prod     waits 10m 0s; prod has no old instances to keep warm',
      '11  retire-prod   stops nothing: prod has no old revision',
    ]);
    expect(renderPlan(first, { width: 140, language: 'zh' }).slice(12, 14)).toEqual([
      '10  bake-prod     等待 10m 0s；prod 没有要保温的旧实例',
      '11  retire-prod   prod 没有要停止的旧版次',
    ]);
  });

  it('says the same in Chinese, a line for each step', () => {
    const lines = renderPlan(plan, { width: 140, language: 'zh' });
    expect(lines).toHaveLength(18);
    for (const line of lines.slice(3, -1)) expect(line).toMatch(/\p{Script=Han}/u);
  });
});
