/** From which amount on a unit is used, largest first, and what it is called. Nanoseconds. */
const UNITS = [
  [604_800e9, 'weeks'],
  [86_400e9, 'days'],
  [3_600e9, 'hrs'],
  [60e9, 'mins'],
  [1e9, 'secs'],
  [1e6, 'ms'],
  [1e3, 'us'],
] as const;

/**
 * A duration as Mesos prints it (stout's `operator<<` of `Duration`): in the largest unit that it fills, or in the next
 * smaller one when only that gives a whole number, as `50ms` and `90secs`.
 */
export function durationText(ms: number): string {
  const ns = Math.round(ms * 1e6);
  const index = UNITS.findIndex(([size]) => ns >= size);
  const [size, unit] = UNITS[index] ?? [1, 'ns'];
  const [smaller, smallerUnit] = UNITS[index + 1] ?? [1, 'ns'];
  if (index >= 0 && ns % size !== 0 && ns % smaller === 0) return `${ns / smaller}${smallerUnit}`;
  return `${Number((ns / size).toPrecision(15))}${unit}`;
}
