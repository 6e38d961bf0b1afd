/** Zod schemas of the quantities people write in YAML with their unit: `90s`, `5%`, `64MiB`. */
import { z } from 'zod';

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const MIB_PER_UNIT: Readonly<Record<string, number>> = { MiB: 1, GiB: 1024 };

/**
 * A duration with its unit, such as `90s`, `10m` or `1h`; its output is whole seconds.
 * @param least fewest seconds allowed
 * @param most most seconds allowed
 */
export function duration(least: number, most: number) {
  return z
    .string({ error: () => 'write a duration with its unit, such as 90s, 10m or 1h' })
    .regex(/^[0-9]{1,9}[smh]$/, { error: 'write a duration with its unit, such as 90s, 10m or 1h', abort: true })
    .transform(durationSeconds)
    .refine((seconds) => seconds >= least && seconds <= most, {
      error: `must be between ${durationText(least)} and ${durationText(most)}`,
    });
}

/**
 * A time of a single answer, such as `300ms` or `2s`; its output is milliseconds.
 * @param least fewest milliseconds allowed
 * @param most most milliseconds allowed
 */
export function milliseconds(least: number, most: number) {
  return z
    .string({ error: () => 'write a time with its unit, such as 300ms or 2s' })
    .regex(/^[0-9]{1,9}(ms|s)$/, { error: 'write a time with its unit, such as 300ms or 2s', abort: true })
    .transform((text) => Number.parseInt(text, 10) * (text.endsWith('ms') ? 1 : 1000))
    .refine((time) => time >= least && time <= most, { error: `must be between ${least}ms and ${most}ms` });
}

/** A share such as `5%` or `0.5%`; its output is the number before the sign. Refused above 100 %. */
export function percent() {
  return z
    .string({ error: () => 'write a share with its sign, such as 5%' })
    .regex(/^[0-9]{1,3}(\.[0-9]{1,3})?%$/, { error: 'write a share with its sign, such as 5% or 0.5%', abort: true })
    .transform((text) => Number(text.slice(0, -1)))
    .refine((share) => share <= 100, { error: 'must be at most 100%' });
}

/**
 * An amount of memory such as `64MiB` or `2GiB`; its output is MiB.
 * @param least fewest MiB allowed
 * @param most most MiB allowed
 */
export function memory(least: number, most: number) {
  return z
    .string({ error: () => 'write memory with its unit, such as 64MiB or 2GiB' })
    .regex(/^[0-9]{1,9}(MiB|GiB)$/, { error: 'write memory with its unit, such as 64MiB or 2GiB', abort: true })
    .transform((text) => Number(text.slice(0, -3)) * (MIB_PER_UNIT[text.slice(-3)] ?? Number.NaN))
    .refine((amount) => amount >= least && amount <= most, { error: `must be between ${least}MiB and ${most}MiB` });
}

/** Seconds of a duration that has the right form. */
function durationSeconds(text: string): number {
  return Number(text.slice(0, -1)) * (SECONDS_PER_UNIT[text.slice(-1)] ?? Number.NaN);
}

/** Shortest way to write a number of seconds, as `duration` reads it. */
export function durationText(seconds: number): string {
  if (seconds > 0 && seconds % 3600 === 0) return `${seconds / 3600}h`;
  return seconds > 0 && seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}
