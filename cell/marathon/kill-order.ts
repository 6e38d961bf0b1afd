import { fieldName } from './constraints.ts';
import { type App, type Instance, isScheduled, type Scheduled } from './model.ts';

/**
 * Which instances a scale-down ends, in this order: those named by a kill-and-scale, be they more than `count`; those
 * whose end evens out a GROUP_BY; the unreachable, then staging, starting and running ones, at last those of which
 * Mesos has told nothing yet; among equals by start time.
 */
export function killOrder(
  app: Pick<App, 'constraints' | 'killSelection'>,
  instances: readonly Instance[],
  count: number,
  sentenced: readonly string[] = [],
): readonly Instance[] {
  const named = new Set(sentenced);
  const chosen = instances.filter((instance) => named.has(instance.taskId));
  let left = instances.filter((instance) => !chosen.includes(instance));
  const groupFields = app.constraints
    .filter(([, operator]) => operator === 'GROUP_BY')
    .map(([name = '']) => fieldName(name));
  while (chosen.length < count && left.length > 0) {
    const next = best(candidates(left, groupFields), app.killSelection);
    if (!next) break;
    chosen.push(next);
    left = left.filter((instance) => instance !== next);
  }
  return chosen;
}

/**
 * In which order an upgrade ends old instances; those that only wait for an offer are the youngest. Up to 1.9 health is
 * not looked at, and the oldest are first. From 1.10 on those are first that are not considered healthy, the oldest
 * before the others, and then the healthy ones, the youngest first: the comparison there calls each of two healthy ones
 * the lesser (`TaskReplaceActor`). Both hold of up to four instances; with more the original goes by a hash.
 */
export function upgradeOrder<One extends Instance | Scheduled>(
  instances: readonly One[],
  consideredHealthy?: (one: One) => boolean,
): readonly One[] {
  const oldestFirst = instances.toSorted((a, b) => compare(ageOf(a), ageOf(b)) || compare(a.id, b.id));
  if (!consideredHealthy) return oldestFirst;
  const healthy = oldestFirst.filter(consideredHealthy);
  return [...oldestFirst.filter((one) => !healthy.includes(one)), ...healthy.toReversed()];
}

function ageOf(one: Instance | Scheduled): string {
  return isScheduled(one) ? 'later' : startOf(one);
}

const LIFE: Readonly<Record<string, number>> = {
  Unreachable: 0,
  UnreachableInactive: 0,
  Staging: 1,
  Starting: 2,
  Running: 3,
};
const LAST = 4;

function best(instances: readonly Instance[], selection: App['killSelection']): Instance | undefined {
  const youngestFirst = selection === 'YOUNGEST_FIRST' ? -1 : 1;
  return instances.toSorted((a, b) => {
    const byLife = (LIFE[a.condition] ?? LAST) - (LIFE[b.condition] ?? LAST);
    return byLife || youngestFirst * compare(startOf(a), startOf(b)) || compare(a.id, b.id);
  })[0];
}

/** Those in the largest group of the first field whose groups are uneven; all, when none is. */
function candidates(instances: readonly Instance[], fields: readonly string[]): readonly Instance[] {
  for (const field of fields) {
    const groups = Map.groupBy(instances, (instance) => instance.attributes[field] ?? '');
    const sizes = [...groups.values()].map((group) => group.length);
    const largest = Math.max(...sizes);
    if (largest > Math.min(...sizes))
      return [...groups.values()].find((group) => group.length === largest) ?? instances;
  }
  return instances;
}

function startOf(instance: Instance): string {
  return instance.startedAt ?? instance.stagedAt;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
