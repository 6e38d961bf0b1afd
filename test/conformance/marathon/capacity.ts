import { planOf, type TakenEvent } from './event-record.ts';

/** How far an app's instances went while one deployment of it was under way, by the events of all of them. */
export interface Capacity {
  /** Fewest that ran and were not told to end. */
  readonly fewest: number;
  /** Most that were there, from being scheduled until their end. */
  readonly most: number;
}

interface Stand {
  readonly appId: string;
  readonly serves: boolean;
  readonly isDoomed: boolean;
}

const OVER: ReadonlySet<unknown> = new Set(['Killed', 'Failed', 'Finished', 'Error', 'Dropped', 'Gone']);

/**
 * For each deployment, in the order of their begin, the capacity of each of its apps. From 1.8 on, where the end of an
 * instance is decided before it comes, and told as one more `Running`.
 */
export function capacities(events: readonly TakenEvent[]): readonly Readonly<Record<string, Capacity>>[] {
  const stands = new Map<string, Stand>();
  const deployments = new Map<string, { isOver: boolean; readonly apps: Map<string, Capacity> }>();
  const now = (appId: string): Capacity => {
    const own = [...stands.values()].filter((stand) => stand.appId === appId);
    return { fewest: own.filter(({ serves }) => serves).length, most: own.length };
  };
  for (const { eventType, data } of events) {
    if (eventType.startsWith('deployment_')) {
      const { id, apps } = planOf(data);
      const begun = deployments.get(id) ?? { isOver: false, apps: new Map([...apps].map((app) => [app, now(app)])) };
      deployments.set(id, { ...begun, isOver: ['deployment_success', 'deployment_failed'].includes(eventType) });
    }
    if (eventType !== 'instance_changed_event') continue;
    const [id, appId, { condition }] = [String(data['instanceId']), String(data['runSpecId']), data];
    if (OVER.has(condition)) stands.delete(id);
    else stands.set(id, next(stands.get(id), appId, condition));
    const { fewest, most } = now(appId);
    for (const { isOver, apps } of deployments.values()) {
      const before = apps.get(appId);
      if (isOver || !before) continue;
      apps.set(appId, { fewest: Math.min(before.fewest, fewest), most: Math.max(before.most, most) });
    }
  }
  return [...deployments.values()].map(({ apps }) => Object.fromEntries([...apps].toSorted()));
}

function next(before: Stand | undefined, appId: string, condition: unknown): Stand {
  const isDoomed = before?.isDoomed === true || (before?.serves === true && condition === 'Running');
  return { appId, isDoomed, serves: condition === 'Running' && !isDoomed };
}
