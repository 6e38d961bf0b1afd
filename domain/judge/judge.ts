import type { JudgePolicy } from '../manifest.ts';
import { logShareEvidence, shownAbove, shownBelow } from './share-test.ts';
import type { RevisionWindow, Verdict } from './verdict.ts';

/** Raised with every change of a rule or a parameter, so that a recorded verdict can be computed again. */
export const JUDGE_VERSION = 1;

/** Chance at most of passing a canary whose true share of errors is above the limit. */
const WRONG_PASS = 0.1;

/** Bayes factors are told up to here; more is no more proof, and infinity is not JSON. */
const MOST_EVIDENCE = 1e12;

interface Evidence {
  readonly policy: JudgePolicy;
  readonly canary: RevisionWindow;
  readonly baseline: RevisionWindow;
}

interface Finding {
  readonly result: Verdict['result'];
  readonly rule: string;
  readonly sentence: string;
}

/** Says something, or leaves the word to the next rule. */
type Rule = (evidence: Evidence) => Finding | undefined;

/**
 * Asked in this order; the first that says something decides. Missing or odd figures never pass and never fail a
 * canary. Every test holds its error rate however often it is asked while the windows grow.
 */
const RULES: readonly Rule[] = [
  figuresContradict,
  canaryDataMissing,
  errorShareOverLimit,
  baselineDataMissing,
  moreErrorsThanBaseline,
  errorShareWithinLimit,
];

/**
 * Judges a canary by the answers that the balancer counted for it and, at the same time, for the old revision. Pure:
 * equal inputs give an equal verdict.
 *
 * - `fail` with `error-share-over-limit`: the canary's true share of errors is above the limit, not by chance.
 * - `fail` with `more-errors-than-baseline`: errors fall on the canary more often than traffic does. A canary that is
 *   no worse than the baseline is failed by this rule with a chance of at most `policy.alpha`.
 * - `pass` with `error-share-within-limit`: neither of these, and the share is shown to be below the limit. A canary
 *   above the limit passes with a chance of at most 10 %.
 * - `inconclusive` else; the sentence says what is missing.
 */
export function judgeCanary(policy: JudgePolicy, canary: RevisionWindow, baseline: RevisionWindow): Verdict {
  const evidence: Evidence = { policy, canary, baseline };
  const finding = RULES.reduce<Finding | undefined>((found, rule) => found ?? rule(evidence), undefined);
  const { result, rule, sentence } = finding ?? limitNotShown(evidence);
  return {
    result,
    rule,
    sentence,
    canary,
    baseline,
    canaryErrorPercent: errorPercent(canary),
    baselineErrorPercent: errorPercent(baseline),
    bayesFactor: bayesFactor(evidence),
    judgeVersion: JUDGE_VERSION,
  };
}

function figuresContradict({ canary, baseline }: Evidence): Finding | undefined {
  const windows = [
    { name: 'canary', window: canary },
    { name: 'old revision', window: baseline },
  ];
  const wrong = windows.find(({ window }) => !canBe(window));
  if (wrong === undefined) return undefined;
  const { requests, errors, seconds } = wrong.window;
  return {
    result: 'inconclusive',
    rule: 'figures-contradict',
    sentence: `the figures of the ${wrong.name} can't be right: ${requests} requests, ${errors} errors in ${seconds} s`,
  };
}

function canBe({ requests, errors, seconds }: RevisionWindow): boolean {
  return (
    [requests, errors].every((count) => Number.isSafeInteger(count) && count >= 0) && errors <= requests && seconds >= 0
  );
}

function canaryDataMissing({ policy, canary }: Evidence): Finding | undefined {
  if (canary.requests >= policy.minRequests) return undefined;
  return {
    result: 'inconclusive',
    rule: canary.requests === 0 ? 'no-canary-traffic' : 'too-few-canary-requests',
    sentence: `the canary has answered ${counted(canary)} of the ${policy.minRequests} requests a verdict needs`,
  };
}

function errorShareOverLimit({ policy, canary }: Evidence): Finding | undefined {
  const { errors, requests } = canary;
  if (!shownAbove(errors, requests - errors, policy.maxErrorPercent / 100, policy.alpha)) return undefined;
  return {
    result: 'fail',
    rule: 'error-share-over-limit',
    sentence: `${errorsOf('the canary', canary)}; more than ${policy.maxErrorPercent} % are not allowed, and chance does not explain it`,
  };
}

function baselineDataMissing({ policy, baseline }: Evidence): Finding | undefined {
  if (baseline.requests >= policy.minRequests) return undefined;
  return {
    result: 'inconclusive',
    rule: baseline.requests === 0 ? 'no-baseline-traffic' : 'too-few-baseline-requests',
    sentence: `the old revision has answered ${counted(baseline)} of the ${policy.minRequests} requests a comparison needs`,
  };
}

function moreErrorsThanBaseline({ policy, canary, baseline }: Evidence): Finding | undefined {
  if (!shownAbove(canary.errors, baseline.errors, trafficShare(canary, baseline), policy.alpha)) return undefined;
  return {
    result: 'fail',
    rule: 'more-errors-than-baseline',
    sentence: `${errorsOf('the canary', canary)}, ${errorsOf('the old revision', baseline)}; chance does not explain it`,
  };
}

function errorShareWithinLimit({ policy, canary, baseline }: Evidence): Finding | undefined {
  const { errors, requests } = canary;
  if (!acceptable(errors, requests - errors, policy)) return undefined;
  return {
    result: 'pass',
    rule: 'error-share-within-limit',
    sentence: `${errorsOf('the canary', canary)}, ${errorsOf('the old revision', baseline)}; up to ${policy.maxErrorPercent} % are allowed`,
  };
}

/** What is left when no rule has decided: more figures are needed. */
function limitNotShown({ policy, canary }: Evidence): Finding {
  const { errors, requests } = canary;
  return {
    result: 'inconclusive',
    rule: 'limit-not-shown',
    sentence:
      `${errorsOf('the canary', canary)}; whether it stays within ${policy.maxErrorPercent} % is not shown yet, ` +
      `about ${moreNeeded(errors, requests - errors, policy)} more answers without an error would show it`,
  };
}

/** Non-inferiority against the limit. A limit of 0 can't be shown by figures; there the fewest requests decide. */
function acceptable(errors: number, rest: number, { maxErrorPercent }: JudgePolicy): boolean {
  if (maxErrorPercent >= 100 || (maxErrorPercent <= 0 && errors === 0)) return true;
  return shownBelow(errors, rest, maxErrorPercent / 100, WRONG_PASS);
}

/** Fewest further answers without error after which the canary would be acceptable; the limit is above 0 here. */
function moreNeeded(errors: number, rest: number, policy: JudgePolicy): number {
  let enough = 1;
  while (!acceptable(errors, rest + enough, policy)) enough *= 2;
  let tooFew = Math.floor(enough / 2);
  while (enough - tooFew > 1) {
    const middle = Math.floor((enough + tooFew) / 2);
    if (acceptable(errors, rest + middle, policy)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}

function trafficShare(canary: RevisionWindow, baseline: RevisionWindow): number {
  return canary.requests / (canary.requests + baseline.requests);
}

function bayesFactor(evidence: Evidence): number | null {
  const { canary, baseline } = evidence;
  if (figuresContradict(evidence) || canary.errors + baseline.errors === 0) return null;
  const log = logShareEvidence(canary.errors, baseline.errors, trafficShare(canary, baseline));
  return Math.min(Math.exp(log), MOST_EVIDENCE);
}

function errorPercent({ requests, errors }: RevisionWindow): number | null {
  return requests > 0 ? (100 * errors) / requests : null;
}

function errorsOf(who: string, window: RevisionWindow): string {
  const percent = errorPercent(window) ?? 0;
  return `${who} answered ${window.errors} of ${window.requests} requests with an error (${roundedPercent(percent)} %)`;
}

/** To two significant digits, so that a small share does not read as none. */
function roundedPercent(percent: number): string {
  return String(percent >= 10 ? Math.round(percent * 10) / 10 : Number(percent.toPrecision(2)));
}

function counted({ requests }: RevisionWindow): string {
  return requests === 0 ? 'none' : String(requests);
}
