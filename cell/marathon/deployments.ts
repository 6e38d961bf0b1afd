import { isDeepStrictEqual } from 'node:util';
import { configOf } from './app.ts';
import { addedGroups, appDifferences, CYCLE, dependencyLevels, findApp, type Root } from './groups.ts';
import type { App, AppChange, AppConfig, DeploymentAction, DeploymentPlan, DeploymentStep } from './model.ts';

/** Plans the way from one state of the apps to another. */

/**
 * Stamps a wanted configuration: a change of the instance count alone keeps the stamp of the configuration, no change
 * keeps the app as it is, anything else is a new configuration and restarts every instance, whatever it was before.
 */
export function stampApp(wanted: AppConfig, before: App | undefined, version: string): App {
  const changed = { ...wanted, version, lastScalingAt: version, lastConfigChangeAt: version, generation: version };
  if (!before) return changed;
  const current = configOf(before);
  if (isDeepStrictEqual(current, wanted)) return before;
  if (isDeepStrictEqual({ ...current, instances: wanted.instances }, wanted)) {
    const { lastConfigChangeAt, generation } = before;
    return { ...wanted, version, lastScalingAt: version, lastConfigChangeAt, generation };
  }
  return changed;
}

/** The same configuration for a new generation of instances. Marathon shows it as a change of scale. */
export function restamp(app: App, version: string): App {
  return { ...app, version, lastScalingAt: version, generation: version };
}

/**
 * The steps from one tree to another: all that must stop, then all that is new registered with no instance, then one
 * step per level of dependency that scales what is new or only scaled and restarts what changed. Nothing that stays as
 * it is appears. `target` must have no circle in its dependencies.
 */
export function planDeployment(options: {
  readonly id: string;
  readonly from: Root;
  readonly to: Root;
  readonly sentenced?: readonly string[];
}): DeploymentPlan {
  const { id, from, to, sentenced = [] } = options;
  const levels = dependencyLevels(to);
  if (levels === CYCLE) throw new Error('a deployment was planned to apps whose dependencies go round in a circle');

  const stopped: AppChange[] = [];
  const started: AppChange[] = [];
  const changed: AppChange[] = [];
  for (const { before, after } of appDifferences(from.group, to.group)) {
    if (before && !after) stopped.push({ appId: before.id, before });
    else if (after && !before) started.push({ appId: after.id, after });
    else if (before && after && changes(before, after)) changed.push({ appId: after.id, before, after });
  }
  started.sort((a, b) => (levels.get(a.appId) ?? 0) - (levels.get(b.appId) ?? 0));

  const byStep = new Map<number, DeploymentAction[]>();
  for (const { appId, before, after } of [...started, ...changed]) {
    const level = levels.get(appId) ?? 0;
    const restarts = before && after && restartsAll(before, after) && after.instances > 0;
    const action = { action: restarts ? 'RestartApplication' : 'ScaleApplication', app: appId } as const;
    byStep.set(level, [...(byStep.get(level) ?? []), action]);
  }
  const steps: DeploymentStep[] = [
    { actions: stopped.map(({ appId }) => ({ action: 'StopApplication', app: appId })) },
    { actions: started.map(({ appId }) => ({ action: 'StartApplication', app: appId })) },
    ...[...byStep].toSorted(([a], [b]) => a - b).map(([, actions]) => ({ actions })),
  ];
  return {
    id,
    version: to.version,
    steps: steps.filter((step) => step.actions.length > 0),
    changes: [...stopped, ...started, ...changed],
    addedGroups: addedGroups(from.group, to.group),
    sentenced,
  };
}

/** By what they say too: what one leader undid may have one version, and one generation, several times. */
function changes(before: App, after: App): boolean {
  return before.version !== after.version || !isDeepStrictEqual(configOf(before), configOf(after));
}

function restartsAll(before: App, after: App): boolean {
  if (before.generation !== after.generation) return true;
  return !isDeepStrictEqual({ ...configOf(before), instances: after.instances }, configOf(after));
}

export function affectedApps(plan: DeploymentPlan): readonly string[] {
  return plan.changes.map((change) => change.appId);
}

/** True when both change the same app: they may not run at once. */
export function conflicts(a: DeploymentPlan, b: DeploymentPlan): boolean {
  const apps = new Set(affectedApps(a));
  return affectedApps(b).some((app) => apps.has(app));
}

/** What undoing a deployment wants of one app. */
export interface RevertedApp {
  readonly id: string;
  /** The configuration from before; undefined when there was no app. */
  readonly config: AppConfig | undefined;
  /** The app has that configuration already, but its instances are replaced: they are replaced once more. */
  readonly restarts: boolean;
}

/**
 * What undoing a deployment wants of each app it touched. Apps that something else changed since are undone too; apps
 * it did not touch stay.
 */
export function revertedApps(plan: DeploymentPlan, now: Root): readonly RevertedApp[] {
  return plan.changes.flatMap(({ appId, before }): readonly RevertedApp[] => {
    const current = findApp(now, appId);
    if (!before) return current ? [{ id: appId, config: undefined, restarts: false }] : [];
    const config = configOf(before);
    const restarts =
      current !== undefined && current.generation !== before.generation && isDeepStrictEqual(configOf(current), config);
    return [{ id: appId, config, restarts }];
  });
}
