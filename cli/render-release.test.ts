import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ReleaseView } from '../domain/release.ts';
import { displayWidth } from './display-width.ts';
import { renderRelease } from './render-release.ts';

const DIGEST = `sha256:${'9c'.repeat(32)}`;

const waiting: ReleaseView = {
  id: 'release/sample/k1',
  service: 'sample',
  requestedBy: 'ann',
  startedAt: '2026-11-22T10:00:00.000Z',
  version: '5.1.3',
  commit: '0123456789abcdef0123',
  plan: {
    service: 'sample',
    version: '5.1.3',
    commit: '0123456789abcdef0123',
    manifestDigest: DIGEST,
    configVersion: 0,
    from: {},
    steps: [],
    changes: [],
    configDiff: {},
    digest: DIGEST,
  },
  steps: [
    {
      id: 'build',
      kind: 'build',
      outcome: 'done',
      startedAt: '2026-11-22T10:00:00.000Z',
      endedAt: '2026-11-22T10:00:34.000Z',
      detail: 'built sample@sha256:9c9c',
    },
    {
      id: 'approve-prod',
      kind: 'approve',
      environment: 'prod',
      outcome: 'running',
      startedAt: '2026-11-22T10:01:00.000Z',
    },
    { id: 'shift-prod-1', kind: 'shift', environment: 'prod', outcome: 'waiting' },
  ],
  wait: {
    reason: 'approval',
    sentence: 'waiting for approval to go to prod',
    since: '2026-11-22T10:01:00.000Z',
    endedBy: 'an approval by one person other than ann',
    deadline: '2026-11-22T11:01:00.000Z',
    atDeadline: 'the release ends as failed',
  },
  approvals: [],
  verdicts: [],
  rollbacks: [],
};

const { wait: _, ...rest } = waiting;
const rolledBack: ReleaseView = {
  ...rest,
  outcome: 'rolled-back',
  endedAt: '2026-11-22T10:05:00.000Z',
  steps: [{ id: 'shift-prod-1', kind: 'shift', environment: 'prod', outcome: 'undone' }],
  approvals: [{ by: 'bob', step: 'approve-prod', planDigest: DIGEST, at: '2026-11-22T10:02:00.000Z' }],
  verdicts: [
    {
      result: 'fail',
      rule: 'error-share-over-limit',
      sentence: '20.1 % of canary answers were 5xx, 1 % is allowed',
      sentenceZh: '金丝雀 20.1 % 的响应为 5xx，允许 1 %',
      canary: { requests: 200, errors: 40, seconds: 10 },
      baseline: { requests: 3800, errors: 0, seconds: 10 },
      others: null,
      canaryErrorPercent: 20.1,
      baselineErrorPercent: 0,
      comparison: { against: 'baseline', bayesFactor: 250, baselineBayesFactor: 250, freshWorseBayesFactor: null },
      errorIncrease: { value: 20.1, low: 12.25, high: 31 },
      slowdown: null,
      p99: null,
      parameters: {
        maxErrorPercent: 1,
        minRequests: 50,
        alpha: 0.01,
        canaryShare: 5,
        shareTolerancePercent: 20,
        wrongPass: 0.1,
        alphaWhereAlike: 0.002,
        freshWorseFrom: 3,
      },
      inputHash: `sha256:${'0'.repeat(64)}`,
      judgeVersion: 1,
    },
  ],
  rollbacks: [
    {
      environment: 'prod',
      reason: 'the canary failed',
      decidedAt: '2026-11-22T10:04:50.000Z',
      trafficAt: '2026-11-22T10:04:50.400Z',
      doneAt: '2026-11-22T10:04:53.000Z',
    },
  ],
  failure: { type: 'CanaryFailed', message: '20.1 % of canary answers were 5xx', step: 'judge-prod' },
};

describe('a release on the screen', () => {
  it('shows its steps with sign, word and time, and why it waits', () => {
    expect(renderRelease(waiting, { width: 80, color: false, now: '2026-11-22T10:03:14.000Z' })).toEqual([
      'sample 5.1.3 · running · 3m 14s',
      '  sample/k1 · commit 0123456789ab · asked for by ann',
      '├ ✓ build         done         34s  built sample@sha256:9c9c',
      '├ ▶ approve-prod  running   2m 14s',
      '│     waiting for approval to go to prod',
      '│     ended by an approval by one person other than ann',
      '│     until 2026-11-22 11:01:00Z, then the release ends as failed',
      '│     approve: slipway approve sample/k1',
      '└ ○ shift-prod-1  to do',
      `  plan ${DIGEST}`,
    ]);
  });

  it('says what was changed by hand, and how to resolve it', () => {
    const difference = { kind: 'scaled', sentence: 'r2 was scaled by hand', sentenceZh: 'r2 被手工伸缩' } as const;
    const drift = { since: '2026-11-22T10:02:00.000Z', environment: 'prod', differences: [difference] };
    const { wait: _, ...moving } = waiting;
    const under = (lines: readonly string[]) => lines.filter((line) => line.startsWith('│     '));
    expect(under(renderRelease({ ...moving, drift }, { width: 100, color: false }))).toEqual([
      '│     changed by hand in prod: r2 was scaled by hand',
      '│     resolve: slipway lane adopt prod sample, or slipway lane revert prod sample',
    ]);
    expect(under(renderRelease({ ...moving, drift }, { width: 100, color: false, language: 'zh' }))[0]).toBe(
      '│     prod 被手工修改：r2 被手工伸缩',
    );
  });

  it('tells how it came back, and why', () => {
    const lines = renderRelease(rolledBack, { width: 140, color: false });
    expect(lines[0]).toBe('sample 5.1.3 · rolled back · 5m 0s');
    expect(lines.slice(2)).toEqual([
      '└ ↩ shift-prod-1  undone',
      '  approved by bob, 2026-11-22 10:02:00Z',
      '  verdict fail: 20.1 % of canary answers were 5xx, 1 % is allowed',
      '  rule error-share-over-limit · evidence of more errors 250 · errors 20.1 points (12.3 to 31) · judge 1 on sha256:000000000000',
      '  rollback in prod: the canary failed; traffic back after 0.4s; all restored after 3.0s',
      '  CanaryFailed in judge-prod: 20.1 % of canary answers were 5xx',
      `  plan ${DIGEST}`,
    ]);
  });

  it('speaks Chinese, in columns of the right width', () => {
    const lines = renderRelease(waiting, { width: 80, color: false, language: 'zh', now: '2026-11-22T10:03:14.000Z' });
    expect(lines[0]).toBe('sample 5.1.3 · 进行中 · 3m 14s');
    expect(lines.slice(2, 4)).toEqual([
      '├ ✓ build         完成        34s  built sample@sha256:9c9c',
      '├ ▶ approve-prod  进行中   2m 14s',
    ]);
  });

  it('tells a verdict in Chinese, too', () => {
    const lines = renderRelease(rolledBack, { width: 140, color: false, language: 'zh' });
    expect(lines.slice(4, 6)).toEqual([
      '  判定 不通过：金丝雀 20.1 % 的响应为 5xx，允许 1 %',
      '  规则 error-share-over-limit · 错误更多的证据 250 · 错误率差 20.1 个百分点（12.3 至 31） · 判定器 1，依据 sha256:000000000000',
    ]);
  });

  it('says with colour nothing that it does not say without', () => {
    const options = { width: 80, now: '2026-11-22T10:03:14.000Z' };
    for (const view of [waiting, rolledBack]) {
      const colored = renderRelease(view, { ...options, color: true });
      expect(colored.join('\n')).toContain('\u001b[');
      expect(colored.map(withoutColor)).toEqual(renderRelease(view, { ...options, color: false }));
    }
  });

  it('shows what a failure knows, whole, above the plan', () => {
    const logTail = `not ok 1\n  at \u001b[31m${'x'.repeat(40)}\n\nfail 1\n`;
    const failure = { type: 'BuildFailed', message: 'unit-test ended with exit code 1', step: 'build' };
    const lines = renderRelease(
      { ...waiting, failure: { ...failure, details: [{ stage: 'unit-test', logTail }] } },
      { width: 40, color: false },
    );
    expect(lines.slice(lines.findIndex((line) => line.startsWith('  BuildFailed')))).toEqual([
      '  BuildFailed in build: unit-test ended…',
      '    not ok 1',
      `      at  [31m${'x'.repeat(26)}`,
      `    ${'x'.repeat(14)}`,
      '',
      '    fail 1',
      '  plan sha256:9c9c9c9c9c9c9c9c9c9c9c9c9…',
    ]);
  });

  it('is shown before its plan is made', () => {
    const { plan, version, commit, ...early } = waiting;
    expect([plan, version, commit]).not.toContain(undefined);
    expect(renderRelease({ ...early, steps: [] }, { width: 80, color: false }).slice(0, 3)).toEqual([
      'sample · running',
      '  sample/k1 · asked for by ann',
      '      waiting for approval to go to prod',
    ]);
  });

  it('is never wider than the terminal, and never lets what it shows command it', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', ' ', '\u001b', '[2J', '\n', '\r', '\u202e', '中', '。', '🚀', 'é'),
    });
    fc.assert(
      fc.property(text, text, text, fc.integer({ min: 30, max: 200 }), (detail, sentence, message, width) => {
        const view: ReleaseView = {
          ...waiting,
          steps: waiting.steps.map((step) => ({ ...step, detail })),
          wait: { ...(waiting.wait ?? fail()), sentence },
          failure: { type: 'BuildFailed', message },
        };
        for (const line of renderRelease(view, { width, color: false, now: '2026-11-22T10:03:14.000Z' })) {
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
          expect(line).not.toMatch(/[\p{Cc}\u202e]/u);
        }
      }),
    );
  });
});

function fail(): never {
  throw new Error('the sample waits');
}

function withoutColor(line: string): string {
  return line.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g'), '');
}
