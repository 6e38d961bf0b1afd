/**
 * Arithmetic of Mesos resources, pure. Scalars are kept to three decimals, as Mesos does, so that sums of 0.1 stay
 * exact; ranges are kept sorted and merged.
 */
import type { Range, Resource } from '../../activities/mesos/types.ts';

/**
 * How much of what: `scalars` such as cpus, mem (MiB), disk (MiB); `ranges` such as ports. What is reserved for a role
 * goes by Mesos' own notation, `cpus(ci)`. No entry is zero or empty.
 */
export interface Amounts {
  readonly scalars: ReadonlyMap<string, number>;
  readonly ranges: ReadonlyMap<string, readonly Range[]>;
}

export const NOTHING: Amounts = { scalars: new Map(), ranges: new Map() };

/** Sums a list as it comes in an offer or a task; sets are not used by Slipway and are passed over. */
export function amountsOf(resources: readonly Resource[]): Amounts {
  const scalars = new Map<string, number>();
  const lists = new Map<string, Range[]>();
  for (const resource of resources) {
    const { scalar, ranges } = resource;
    const name = keyOf(resource);
    if (scalar !== undefined) setScalar(scalars, name, (scalars.get(name) ?? 0) + scalar.value);
    if (ranges?.range !== undefined && ranges.range.length > 0) {
      const list = lists.get(name) ?? [];
      lists.set(name, list);
      list.push(...ranges.range);
    }
  }
  return { scalars, ranges: new Map([...lists].map(([name, list]) => [name, merge(list)])) };
}

/**
 * How a reservation is written: in Mesos' own books as `reservations`, to frameworks of before refined reservations as
 * `role`, in answers to operators as both.
 */
type Format = 'books' | 'role' | 'both';

/** As a list for the wire; `allocatedTo` as offers and tasks have it. */
export function resourcesOf(
  amounts: Amounts,
  marks: { readonly format?: Format; readonly allocatedTo?: string; readonly asOffered?: boolean } = {},
): Resource[] {
  const { format = 'books', allocatedTo } = marks;
  const allocated = allocatedTo === undefined ? {} : { allocation_info: { role: allocatedTo } };
  const more = (role: string | undefined) => ({
    ...(format === 'books' ? {} : { role: role ?? '*' }),
    ...allocated,
    ...(role === undefined || format === 'role' ? {} : { reservations: [{ type: 'STATIC', role }] }),
  });
  const scalars = [...amounts.scalars].map(([key, value]) => {
    const { name, role } = partsOf(key);
    return { role, resource: { name, type: 'SCALAR', scalar: { value }, ...more(role) } as Resource };
  });
  const ranges = [...amounts.ranges].map(([key, range]) => {
    const { name, role } = partsOf(key);
    return { role, resource: { name, type: 'RANGES', ranges: { range }, ...more(role) } as Resource };
  });
  const free = (list: typeof scalars) => list.filter(({ role }) => role === undefined);
  const reserved = [...scalars, ...ranges].filter(({ role }) => role !== undefined);
  const all =
    marks.asOffered === true
      ? [...free(ranges), ...reserved, ...free(scalars)]
      : [...free(scalars), ...free(ranges), ...reserved];
  return all.map(({ resource }) => resource);
}

/** What is reserved for roles, by role. */
export function reservedOf(amounts: Amounts): Map<string, Amounts> {
  const roles = new Set<string>();
  for (const key of [...amounts.scalars.keys(), ...amounts.ranges.keys()]) {
    const { role } = partsOf(key);
    if (role !== undefined) roles.add(role);
  }
  return new Map([...roles].map((role) => [role, pick(amounts, (of) => of === role)]));
}

export function unreservedOf(amounts: Amounts): Amounts {
  return pick(amounts, (role) => role === undefined);
}

/** What a role may have: what is not reserved, and what is for itself or for a role above it (`ci` for `ci/web`). */
export function allocatableTo(amounts: Amounts, wanted: string): Amounts {
  return pick(amounts, (role) => role === undefined || wanted === role || wanted.startsWith(`${role}/`));
}

/** The same amounts, whoever they are reserved for. */
export function together(amounts: Amounts): Amounts {
  const reserved = reservedOf(amounts);
  if (reserved.size === 0) return amounts;
  const plain = (part: Amounts): Amounts => ({
    scalars: new Map([...part.scalars].map(([key, value]) => [partsOf(key).name, value])),
    ranges: new Map([...part.ranges].map(([key, list]) => [partsOf(key).name, list])),
  });
  return [...reserved.values()].map(plain).reduce(add, unreservedOf(amounts));
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
    .map((resource) => {
      const { name, scalar, ranges } = resource;
      const value = scalar === undefined ? rangesText(ranges?.range ?? []) : String(scalar.value);
      const reserved = partsOf(keyOf(resource)).role;
      const reservation = reserved === undefined ? '' : `(reservations: [(STATIC,${reserved})])`;
      return `${name}(allocated: ${role})${reservation}:${value}`;
    })
    .join('; ');
}

function keyOf({ name, role, reservations }: Resource): string {
  const reserved = reservations?.at(-1)?.role ?? role ?? '*';
  return reserved === '*' ? name : `${name}(${reserved})`;
}

function partsOf(key: string): { readonly name: string; readonly role: string | undefined } {
  const open = key.indexOf('(');
  return open === -1 ? { name: key, role: undefined } : { name: key.slice(0, open), role: key.slice(open + 1, -1) };
}

function pick({ scalars, ranges }: Amounts, wanted: (role: string | undefined) => boolean): Amounts {
  const ours = ([key]: readonly [string, unknown]) => wanted(partsOf(key).role);
  return { scalars: new Map([...scalars].filter(ours)), ranges: new Map([...ranges].filter(ours)) };
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
