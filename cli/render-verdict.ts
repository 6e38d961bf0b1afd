import type { ErrorComparison, Estimate, Verdict } from '../domain/judge/verdict.ts';
import type { Color } from './colors.ts';
import type { Messages } from './messages.ts';

export const VERDICT_COLORS: Readonly<Record<Verdict['result'], Color>> = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'yellow',
};

/** What a verdict rests on, in one line: the rule that fired, every estimate with its interval, and the inputs. */
export function verdictEvidence(verdict: Verdict, say: Messages): string {
  const { rule, comparison, errorIncrease, slowdown, p99, inputHash, judgeVersion } = verdict;
  const estimate = (found: Estimate | null, words: (value: string, low: string, high: string) => string) =>
    found === null ? [] : [words(figure(found.value), bound(found.low, say), bound(found.high, say))];
  return [
    say.rule(rule),
    ...moreErrors(comparison, say),
    ...estimate(errorIncrease, say.errorIncrease),
    ...estimate(slowdown, say.slowdown),
    ...estimate(p99, say.p99),
    say.judgedFrom(inputHash.slice(0, 'sha256:'.length + 12), judgeVersion),
  ].join(' · ');
}

function moreErrors(comparison: ErrorComparison | null, say: Messages): string[] {
  if (comparison === null || comparison.bayesFactor === null) return [];
  const { against, baselineBayesFactor, bayesFactor } = comparison;
  const both = against === 'baseline-and-others' && baselineBayesFactor !== null;
  return [say.moreErrors(figure(bayesFactor), both ? figure(baselineBayesFactor) : undefined)];
}

function bound(value: number | null, say: Messages): string {
  return value === null ? say.unbounded : figure(value);
}

/** To three significant digits; a bound that is a hair from nothing is nothing. */
function figure(value: number): string {
  return String(Math.abs(value) < 5e-4 ? 0 : Number(value.toPrecision(3)));
}
