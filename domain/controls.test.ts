import { describe, expect, it } from '@jest/globals';
import {
  type CommandName,
  type ControlCommand,
  type ControlSituation,
  missingPeople,
  refuseCommand,
  subjectOf,
  toSkip,
} from './controls.ts';
import type { Plan, Step } from './plan.ts';
import type { CommandRecord } from './release.ts';

const policy = { maxErrorPercent: 5, minRequests: 50, alpha: 0.01 };
const prod = { environment: 'prod' } as const;
const steps: readonly Step[] = [
  { id: 'build', kind: 'build' },
  { id: 'deploy-fat', kind: 'deploy', environment: 'fat', instances: 1 },
  { id: 'approve-prod-1', kind: 'approve', ...prod, count: 1, expiresSeconds: 60 },
  { id: 'hold-prod', kind: 'hold', ...prod, seconds: 60, watch: null },
  { id: 'judge-prod', kind: 'judge', ...prod, name: 'errors', policy, seconds: 60, moreSeconds: 120 },
  { id: 'approve-prod-2', kind: 'approve', ...prod, count: 3, group: 'managers', expiresSeconds: 60 },
  { id: 'bake-prod', kind: 'bake', ...prod, seconds: 60 },
];
const plan: Plan = {
  ...{
    service: 'sample',
    version: '1.0.0',
    commit: 'c',
    manifestDigest: 'sha256:m',
    configVersion: 0,
    from: {},
    changes: [],
    configDiff: {},
  },
  ...{ steps, digest: 'sha256:p' },
};

/** The release while this step is under way. */
function at(id: string | undefined, over: Partial<ControlSituation> = {}): ControlSituation {
  const current = steps.find((step) => step.id === id);
  return {
    ...{ requestedBy: 'ann', plan, paused: false, skipped: new Set<string>(), said: [] },
    groups: [{ name: 'managers', members: ['bob', 'cat', 'dan'] }],
    ...(current ? { current } : {}),
    ...over,
  };
}

const said = (name: CommandName, by: string, about: string): CommandRecord => ({
  ...{ name, by, about, reason: 'because', at: '2026-01-01T00:00:00Z' },
});

describe('refuseCommand', () => {
  it.each<[string, CommandName, Partial<ControlCommand>, ControlSituation, string | undefined]>([
    ['pause', 'pause', {}, at('hold-prod'), undefined],
    ['pause while it is prepared', 'pause', {}, at(undefined), undefined],
    ['pause the plan that was seen', 'pause', { planDigest: 'sha256:p' }, at('hold-prod'), undefined],
    ['pause another plan', 'pause', { planDigest: 'sha256:other' }, at('hold-prod'), 'PlanDigestMismatch'],
    ['pause twice', 'pause', {}, at('hold-prod', { paused: true }), 'AlreadyPaused'],
    ['resume', 'resume', {}, at('hold-prod', { paused: true }), undefined],
    ['resume what is not paused', 'resume', {}, at('hold-prod'), 'NotPaused'],
    ['skip a hold', 'skipHold', {}, at('hold-prod'), undefined],
    ['the requester skips a hold', 'skipHold', { by: 'ann' }, at('hold-prod'), undefined],
    ['skip the hold that was seen', 'skipHold', { step: 'hold-prod' }, at('hold-prod'), undefined],
    ['skip a bake', 'skipHold', {}, at('bake-prod'), undefined],
    ['skip a hold in a judge', 'skipHold', {}, at('judge-prod'), 'NothingToSkip'],
    ['skip a hold while it is prepared', 'skipHold', {}, at(undefined), 'NothingToSkip'],
    ['skip a hold that is not under way', 'skipHold', { step: 'bake-prod' }, at('hold-prod'), 'NothingToSkip'],
    ['skip a hold that is unknown', 'skipHold', { step: 'hold-moon' }, at('hold-prod'), 'UnknownStep'],
    ['skip a hold twice', 'skipHold', {}, at('hold-prod', { skipped: new Set(['hold-prod']) }), 'NothingToSkip'],
    ['skip analysis', 'skipAnalysis', {}, at('judge-prod'), undefined],
    ['skip analysis of another plan', 'skipAnalysis', { planDigest: 'x' }, at('judge-prod'), 'PlanDigestMismatch'],
    ['skip analysis in a hold', 'skipAnalysis', {}, at('hold-prod'), 'NothingToSkip'],
    ['the requester skips analysis', 'skipAnalysis', { by: 'ann' }, at('judge-prod'), 'SelfApproval'],
    [
      'skip analysis, the second person',
      'skipAnalysis',
      {},
      at('judge-prod', { said: [said('skipAnalysis', 'cat', 'judge-prod')] }),
      undefined,
    ],
    [
      'skip analysis, the same person twice',
      'skipAnalysis',
      {},
      at('judge-prod', { said: [said('skipAnalysis', 'bob', 'judge-prod')] }),
      'AlreadySaid',
    ],
    ['retry', 'retryStep', {}, at('build', { failed: 'build' }), undefined],
    ['retry the step that was seen', 'retryStep', { step: 'build' }, at('build', { failed: 'build' }), undefined],
    ['retry another step', 'retryStep', { step: 'deploy-fat' }, at('build', { failed: 'build' }), 'NothingToRetry'],
    ['retry what has not failed', 'retryStep', { step: 'build' }, at('build'), 'NothingToRetry'],
    ['retry what is unknown', 'retryStep', { step: 'paint' }, at('build', { failed: 'build' }), 'UnknownStep'],
    ['promote fully', 'promoteFully', {}, at('hold-prod'), undefined],
    ['the requester promotes fully', 'promoteFully', { by: 'ann' }, at('hold-prod'), 'SelfApproval'],
    ['somebody outside the group promotes fully', 'promoteFully', { by: 'eve' }, at('hold-prod'), 'NotInGroup'],
    ['promote fully where nothing is left to skip', 'promoteFully', {}, at('bake-prod'), 'NothingToSkip'],
    ['promote fully outside every environment', 'promoteFully', {}, at('build'), 'NothingToSkip'],
    ['promote fully where nothing holds it up', 'promoteFully', {}, at('deploy-fat'), 'NothingToSkip'],
    [
      'promote fully, the same person twice',
      'promoteFully',
      {},
      at('judge-prod', { said: [said('promoteFully', 'bob', 'prod')] }),
      'AlreadySaid',
    ],
  ])('%s', (_, name, command, now, expected) => {
    expect(refuseCommand({ name, by: 'bob', ...command }, now)?.type).toBe(expected);
  });

  it('lets the requester alone promote fully past holds', () => {
    const holds = { ...plan, steps: steps.filter(({ kind }) => kind === 'hold' || kind === 'bake') };
    const word = { name: 'promoteFully', by: 'ann' } as const;
    expect(refuseCommand(word, at('hold-prod', { plan: holds }))).toBeUndefined();
    expect(missingPeople('promoteFully', at('hold-prod', { plan: holds }))).toBe(1);
  });
});

describe('missingPeople', () => {
  const two = [said('skipAnalysis', 'bob', 'judge-prod'), said('skipAnalysis', 'cat', 'judge-prod')];

  it.each<[string, CommandName, ControlSituation, number]>([
    ['a hold needs nobody else', 'skipHold', at('hold-prod'), 0],
    ['analysis after one word', 'skipAnalysis', at('judge-prod', { said: two.slice(0, 1) }), 1],
    ['analysis after two words', 'skipAnalysis', at('judge-prod', { said: two }), 0],
    [
      'words about another step do not count',
      'skipAnalysis',
      at('judge-prod', { said: [two[0] ?? said('pause', 'x', ''), said('skipAnalysis', 'cat', 'judge-prod-2')] }),
      1,
    ],
    [
      'what skips an approval of three needs three',
      'promoteFully',
      at('judge-prod', { said: [said('promoteFully', 'bob', 'prod'), said('promoteFully', 'cat', 'prod')] }),
      1,
    ],
  ])('%s', (_, name, now, missing) => {
    expect(missingPeople(name, now)).toBe(missing);
  });
});

it.each<[CommandName, string | undefined, string | undefined]>([
  ['pause', 'hold-prod', undefined],
  ['skipHold', 'hold-prod', 'hold-prod'],
  ['promoteFully', 'hold-prod', 'prod'],
])('%s in %s is about %s', (name, current, about) => {
  expect(subjectOf({ name }, at(current))).toBe(about);
});

it('skips what is under way and to come in this environment, and no bake', () => {
  expect(toSkip(at('judge-prod')).map(({ id }) => id)).toEqual(['judge-prod', 'approve-prod-2']);
  expect(toSkip(at('judge-prod', { skipped: new Set(['judge-prod']) })).map(({ id }) => id)).toEqual([
    'approve-prod-2',
  ]);
});
