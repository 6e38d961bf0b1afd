import { logBeta } from './log-beta.ts';

/** Terms of the continued fraction; it converges far sooner. */
const MOST_TERMS = 500;
const PRECISION = 1e-15;
/** Stands for 0 in a denominator (the modified method of Lentz). */
const TINY = 1e-300;

/** Chance that a value of Student's t distribution is at most `t`. @param degrees of freedom, above 0, need not be whole */
export function studentBelow(t: number, degrees: number): number {
  if (t === Number.POSITIVE_INFINITY) return 1;
  if (t === Number.NEGATIVE_INFINITY) return 0;
  const square = t * t;
  // Each end by what is small there: a difference from 1 would lose its digits.
  if (square < degrees) return 0.5 + 0.5 * Math.sign(t) * incompleteBeta(0.5, degrees / 2, square / (degrees + square));
  const tail = 0.5 * incompleteBeta(degrees / 2, 0.5, degrees / (degrees + square));
  return t > 0 ? 1 - tail : tail;
}

/** The regularised incomplete beta function I_x(a, b), by its continued fraction; NIST DLMF 8.17.22 and 8.17.4. */
export function incompleteBeta(a: number, b: number, x: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges quickly on this side only; the other follows by symmetry.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(b, a, 1 - x);
  const factor = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b)) / a;
  return factor / continuedFraction(a, b, x);
}

function continuedFraction(a: number, b: number, x: number): number {
  let [value, numerator, denominator] = [1, 1, 0];
  for (let term = 1; term <= MOST_TERMS; term++) {
    const coefficient = coefficientOf(term, a, b, x);
    denominator = 1 / nonZero(1 + coefficient * denominator);
    numerator = nonZero(1 + coefficient / numerator);
    const change = numerator * denominator;
    value *= change;
    if (Math.abs(change - 1) < PRECISION) break;
  }
  return value;
}

/** The coefficients d_1, d_2, ... of DLMF 8.17.23. */
function coefficientOf(term: number, a: number, b: number, x: number): number {
  const m = Math.floor(term / 2);
  return term % 2 === 0
    ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
}

function nonZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
