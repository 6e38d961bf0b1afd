import { isDeepStrictEqual } from 'node:util';
import { configOf } from './app.ts';
import { allApps, CYCLE, dependencyLevels, findApp, type Root } from './groups.ts';
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
  const after = new Map(allApps(to).map((app) => [app.id, app]));
  const before = new Map(allApps(from).map((app) => [app.id, app]));
  const levels = dependencyLevels(to);
  if (levels === CYCLE) throw new Error('a deployment was planned to apps whose dependencies go round in a circle');

  const stopped = [...before.values()].filter((app) => !after.has(app.id));
  const started = [...after.values()].filter((app) => !before.has(app.id)).toSorted(byLevel(levels));
  const changed = [...after.values()].filter(
    (app) => before.has(app.id) && before.get(app.id)?.version !== app.version,
  );

  const byStep = new Map<number, DeploymentAction[]>();
  for (const app of [...started, ...changed]) {
    const level = levels.get(app.id) ?? 0;
    const restarts =
      before.get(app.id) !== undefined && before.get(app.id)?.generation !== app.generation && app.instances > 0;
    const action = { action: restarts ? 'RestartApplication' : 'ScaleApplication', app: app.id } as const;
    byStep.set(level, [...(byStep.get(level) ?? []), action]);
  }
  const steps: DeploymentStep[] = [
    { actions: stopped.map((app) => ({ action: 'StopApplication', app: app.id })) },
    { actions: started.map((app) => ({ action: 'StartApplication', app: app.id })) },
    ...[...byStep].toSorted(([a], [b]) => a - b).map(([, actions]) => ({ actions })),
  ];
  return {
    id,
    version: to.version,
    steps: steps.filter((step) => step.actions.length > 0),
    changes: [...stopped, ...started, ...changed].map((app): AppChange => {
      const [was, is] = [before.get(app.id), after.get(app.id)];
      return { appId: app.id, ...(was ? { before: was } : {}), ...(is ? { after: is } : {}) };
    }),
    sentenced,
  };
}

export function affectedApps(plan: DeploymentPlan): readonly string[] {
  return plan.changes.map((change) => change.appId);
}

/** True when both change the same app: they may not run at once. */
export function conflicts(a: DeploymentPlan, b: DeploymentPlan): boolean {
  const apps = new Set(affectedApps(a));
  return affectedApps(b).some((app) => apps.has(app));
}

/**
 * What undoing a deployment wants of each app it touched: the configuration from before, or none. Apps that something
 * else changed since are undone too; apps it did not touch stay.
 */
export function revertedApps(
  plan: DeploymentPlan,
  now: Root,
): readonly { id: string; config: AppConfig | undefined }[] {
  return plan.changes.flatMap(({ appId, before }) => {
    if (!before && !findApp(now, appId)) return [];
    return [{ id: appId, config: before ? configOf(before) : undefined }];
  });
}

function byLevel(levels: ReadonlyMap<string, number>) {
  return (a: App, b: App) => (levels.get(a.id) ?? 0) - (levels.get(b.id) ?? 0);
}
