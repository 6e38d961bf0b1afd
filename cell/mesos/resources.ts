/**
 * Arithmetic of Mesos resources, pure. Scalars are kept to three decimals, as Mesos does, so that sums of 0.1 stay
 * exact; ranges are kept sorted and merged.
 */
import type { Range, Resource } from '../../activities/mesos/types.ts';

/** How much of what: `scalars` such as cpus, mem (MiB), disk (MiB); `ranges` such as ports. No entry is zero or empty. */
export interface Amounts {
  readonly scalars: ReadonlyMap<string, number>;
  readonly ranges: ReadonlyMap<string, readonly Range[]>;
}

export const NOTHING: Amounts = { scalars: new Map(), ranges: new Map() };

/** Sums a list as it comes in an offer or a task; sets are not used by Slipway and are passed over. */
export function amountsOf(resources: readonly Resource[]): Amounts {
  const scalars = new Map<string, number>();
  const lists = new Map<string, Range[]>();
  for (const { name, scalar, ranges } of resources) {
    if (scalar !== undefined) setScalar(scalars, name, (scalars.get(name) ?? 0) + scalar.value);
    if (ranges?.range !== undefined && ranges.range.length > 0) {
      const list = lists.get(name) ?? [];
      lists.set(name, list);
      list.push(...ranges.range);
    }
  }
  return { scalars, ranges: new Map([...lists].map(([name, list]) => [name, merge(list)])) };
}

/** As a list for the wire: with `role` as agents' totals have it, with `allocatedTo` as offers and tasks have it. */
export function resourcesOf(
  amounts: Amounts,
  marks: { readonly role?: string; readonly allocatedTo?: string; readonly rangesFirst?: boolean } = {},
): Resource[] {
  const more = {
    ...(marks.role === undefined ? {} : { role: marks.role }),
    ...(marks.allocatedTo === undefined ? {} : { allocation_info: { role: marks.allocatedTo } }),
  };
  const scalars = [...amounts.scalars].map(
    ([name, value]): Resource => ({ name, type: 'SCALAR', scalar: { value }, ...more }),
  );
  const ranges = [...amounts.ranges].map(
    ([name, range]): Resource => ({ name, type: 'RANGES', ranges: { range }, ...more }),
  );
  return marks.rangesFirst === true ? [...ranges, ...scalars] : [...scalars, ...ranges];
}

export function add(a: Amounts, b: Amounts): Amounts {
  const scalars = new Map(a.scalars);
  for (const [name, value] of b.scalars) setScalar(scalars, name, (scalars.get(name) ?? 0) + value);
  const ranges = new Map(a.ranges);
  for (const [name, list] of b.ranges) setRanges(ranges, name, merge([...(ranges.get(name) ?? []), ...list]));
  return { scalars, ranges };
}

/** `a` without `b`; what `a` does not have is not owed. */
export function subtract(a: Amounts, b: Amounts): Amounts {
  const scalars = new Map(a.scalars);
  for (const [name, value] of b.scalars) setScalar(scalars, name, Math.max(0, (scalars.get(name) ?? 0) - value));
  const ranges = new Map(a.ranges);
  for (const [name, list] of b.ranges) setRanges(ranges, name, cutOut(ranges.get(name) ?? [], list));
  return { scalars, ranges };
}

/** True when `whole` has at least all of `part`. */
export function contains(whole: Amounts, part: Amounts): boolean {
  for (const [name, value] of part.scalars) if (milli(whole.scalars.get(name) ?? 0) < milli(value)) return false;
  for (const [name, list] of part.ranges) if (cutOut(list, whole.ranges.get(name) ?? []).length > 0) return false;
  return true;
}

export function isNothing(amounts: Amounts): boolean {
  return amounts.scalars.size === 0 && amounts.ranges.size === 0;
}

/** `[31000-31004, 31006-32000]`, as the state endpoints write ranges. */
export function rangesText(ranges: readonly Range[]): string {
  return `[${ranges.map(({ begin, end }) => `${begin}-${end}`).join(', ')}]`;
}

/** `cpus(allocated: ci):3.9; ports(allocated: ci):[31000-32000]`, as Mesos writes resources in messages. */
export function amountsText(resources: readonly Resource[], role: string): string {
  return resources
    .map(({ name, scalar, ranges }) => {
      const value = scalar === undefined ? rangesText(ranges?.range ?? []) : String(scalar.value);
      return `${name}(allocated: ${role}):${value}`;
    })
    .join('; ');
}

function milli(value: number): number {
  return Math.round(value * 1000);
}

function setScalar(scalars: Map<string, number>, name: string, value: number): void {
  const rounded = milli(value) / 1000;
  if (rounded === 0) scalars.delete(name);
  else scalars.set(name, rounded);
}

function setRanges(ranges: Map<string, readonly Range[]>, name: string, list: readonly Range[]): void {
  if (list.length === 0) ranges.delete(name);
  else ranges.set(name, list);
}

function merge(list: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const next of [...list].sort((a, b) => a.begin - b.begin)) {
    const last = merged.at(-1);
    if (last !== undefined && next.begin <= last.end + 1) {
      merged[merged.length - 1] = { begin: last.begin, end: Math.max(last.end, next.end) };
    } else {
      merged.push({ begin: next.begin, end: next.end });
    }
  }
  return merged;
}

/** In one walk along both lists, since an agent may have thousands of ports in use. @param from sorted and merged */
function cutOut(from: readonly Range[], holes: readonly Range[]): Range[] {
  const sorted = merge(holes);
  const rest: Range[] = [];
  let next = 0;
  for (const { begin: first, end } of from) {
    let begin = first;
    while (next < sorted.length && (sorted[next]?.end ?? 0) < begin) next += 1;
    for (let index = next; index < sorted.length; index += 1) {
      const hole = sorted[index];
      if (hole === undefined || hole.begin > end) break;
      if (hole.begin > begin) rest.push({ begin, end: hole.begin - 1 });
      begin = Math.max(begin, hole.end + 1);
    }
    if (begin <= end) rest.push({ begin, end });
  }
  return rest;
}
