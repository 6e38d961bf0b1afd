import { describe, expect, it } from '@jest/globals';
import type { Plan } from '../domain/plan.ts';
import { renderPlan } from './render-plan.ts';

const digest = `sha256:${'9c'.repeat(32)}`;
const judge = { maxErrorPercent: 1, minRequests: 50, alpha: 0.01 };
const plan: Plan = {
  service: 'sample',
  version: '2.0.0',
  commit: 'abc123',
  manifestDigest: digest,
  configVersion: 0,
  from: { fat: null, prod: 'r3' },
  steps: [
    { id: 'build', kind: 'build' },
    { id: 'deploy-fat', kind: 'deploy', environment: 'fat', instances: 1 },
    { id: 'test-fat', kind: 'test', environment: 'fat', suites: ['contract', 'smoke'] },
    { id: 'promote', kind: 'promote', tag: 'v2.0.0' },
    { id: 'approve-prod', kind: 'approve', environment: 'prod', count: 1, expiresSeconds: 3600 },
    { id: 'canary-prod', kind: 'canary', environment: 'prod', instances: 1, weight: 5, holdSeconds: 60, judge },
    { id: 'shift-prod-50', kind: 'shift', environment: 'prod', weight: 50, instances: 2 },
    { id: 'bake-prod', kind: 'bake', environment: 'prod', seconds: 600 },
    { id: 'retire-prod', kind: 'retire', environment: 'prod' },
  ],
  digest,
};

describe('a plan on the screen', () => {
  it('says what each step does, and its digest last', () => {
    expect(renderPlan(plan, { width: 120, language: 'en' })).toEqual([
      'Plan of sample 2.0.0',
      'commit abc123',
      '#  STEP           DOES',
      '1  build          builds and pushes the image',
      '2  deploy-fat     starts 1 instance in fat',
      '3  test-fat       runs contract, smoke against fat',
      '4  promote        tags the tested image v2.0.0',
      '5  approve-prod   waits for an approval to go to prod, at most 1h 0m',
      '6  canary-prod    starts 1 instance in prod with 5 % of traffic, judged for 1m 0s against r3',
      '7  shift-prod-50  brings prod to 2 instances and 50 % of traffic',
      '8  bake-prod      keeps the old revision in prod warm for 10m 0s',
      '9  retire-prod    stops the old revision in prod, r3',
      `plan ${digest}`,
    ]);
  });

  it('does not speak of an old revision where there is none', () => {
    const first = { ...plan, from: { fat: null, prod: null } };
    expect(renderPlan(first, { width: 120, language: 'en' }).slice(-3, -1)).toEqual([
      '8  bake-prod      waits 10m 0s; prod has no old revision to keep warm',
      '9  retire-prod    stops nothing: prod has no old revision',
    ]);
    expect(renderPlan(first, { width: 120, language: 'zh' }).slice(-3, -1)).toEqual([
      '8  bake-prod      等待 10m 0s；prod 没有要保温的旧版次',
      '9  retire-prod    prod 没有要停止的旧版次',
    ]);
  });

  it('says the same in Chinese, a line for each step', () => {
    const lines = renderPlan(plan, { width: 120, language: 'zh' });
    expect(lines).toHaveLength(13);
    for (const line of lines.slice(3, -1)) expect(line).toMatch(/\p{Script=Han}/u);
  });
});
