/** A version's leading numbers: `2.8.2+ds1` is `[2, 8, 2]`; a text without a number at its start is `[]`. */
export function versionNumbers(version: string): readonly number[] {
  const leading = /^\d+(\.\d+)*/.exec(version)?.[0];
  return leading === undefined ? [] : leading.split('.').map(Number);
}

/** Negative, zero or positive as `a` is older than, equal to or newer than `b`; suffixes after the numbers do not count. */
export function compareVersions(a: string, b: string): number {
  const left = versionNumbers(a);
  const right = versionNumbers(b);
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}
