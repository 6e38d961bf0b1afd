/**
 * The known name that somebody most likely meant: at most two letters away, and nearer than half of its length.
 * Distance counts inserted, removed, changed and swapped letters (optimal string alignment).
 */
export function nearestName(written: string, known: readonly string[]): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const name of known) {
    if (Math.abs(name.length - written.length) > MOST_EDITS) continue;
    const distance = editDistance(written.toLowerCase(), name.toLowerCase());
    const near = distance <= MOST_EDITS && distance * 2 < name.length;
    if (near && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

const MOST_EDITS = 2;

/** Exact up to `MOST_EDITS`, and more than that where it is more: what is farther from the diagonal is not looked at. */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = row <= MOST_EDITS ? [row] : [];
    const end = Math.min(right.length, row + MOST_EDITS);
    for (let column = Math.max(1, row - MOST_EDITS); column <= end; column++) {
      const changed = left[row - 1] === right[column - 1] ? 0 : 1;
      let cost = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + changed);
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current[column] = cost;
    }
    beforeLast = last;
    last = current;
  }
  return at(last, right.length);
}

/** What was not looked at counts as out of reach. */
function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
