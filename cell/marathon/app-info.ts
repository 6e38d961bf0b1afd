import { emitApp } from './app.ts';
import { affectedApps } from './deployments.ts';
import { isAlive } from './health.ts';
import type { HealthTracker } from './health-tracker.ts';
import type { App, Instance } from './model.ts';
import type { Profile } from './profile.ts';
import type { ReadinessChecker } from './readiness.ts';
import { servicePorts } from './service-ports.ts';
import type { State } from './state.ts';

/** What an answer about an app may carry besides its definition. */
export const APP_EMBEDS = ['tasks', 'counts', 'deployments', 'readiness', 'lastTaskFailure', 'taskStats'] as const;
export type AppEmbed = (typeof APP_EMBEDS)[number];

export interface AppInfoParts {
  readonly state: State;
  readonly health: HealthTracker;
  readonly readiness: ReadinessChecker;
  readonly profile: Profile;
  readonly nowMs: () => number;
}

/** Says of apps and tasks what the API answers. */
export class AppInfo {
  readonly #parts: AppInfoParts;

  constructor(parts: AppInfoParts) {
    this.#parts = parts;
  }

  app(app: App, embeds: ReadonlySet<AppEmbed>): Record<string, unknown> {
    const { state, readiness, profile } = this.#parts;
    const instances = state.instancesOf(app.id);
    const failure = state.failure(app.id);
    return {
      ...emitApp(app),
      ...(embeds.has('counts') ? this.counts(app, instances) : {}),
      ...(embeds.has('deployments') ? { deployments: this.deployments(app.id) } : {}),
      ...(embeds.has('readiness')
        ? { readinessCheckResults: this.deployments(app.id).length > 0 ? readiness.results(app, instances) : [] }
        : {}),
      ...(embeds.has('tasks') ? { tasks: this.tasks(app.id) } : {}),
      ...(embeds.has('lastTaskFailure') && failure ? { lastTaskFailure: failure } : {}),
      ...(embeds.has('taskStats') ? { [profile.taskStatsKey]: this.#taskStats(app, instances) } : {}),
    };
  }

  /** Tasks of an app, and the last of each instance that waits for another. */
  tasks(appId: string, options: { readonly servicePorts?: boolean } = {}): readonly Record<string, unknown>[] {
    const { state } = this.#parts;
    const live = state.instancesOf(appId).map((instance) => this.task(instance, options));
    return [...live, ...this.#ended(appId).map((instance) => this.#endedTask(instance, options))];
  }

  counts(app: App, instances: readonly Instance[]) {
    const health = [...instances, ...this.#ended(app.id)].map((instance) => this.#parts.health.healthy(instance, app));
    return {
      tasksStaged: instances.filter(isStaged).length,
      tasksRunning: instances.filter(({ state }) => state === 'TASK_RUNNING').length,
      tasksHealthy: health.filter((healthy) => healthy === true).length,
      tasksUnhealthy: health.filter((healthy) => healthy === false).length,
    };
  }

  deployments(appId: string): readonly { readonly id: string }[] {
    return [...this.#parts.state.deployments.values()]
      .filter(({ plan }) => affectedApps(plan).includes(appId))
      .map(({ plan }) => ({ id: plan.id }));
  }

  task(instance: Instance, options: { readonly servicePorts?: boolean } = {}): Record<string, unknown> {
    const app = this.#parts.state.app(instance.appId);
    return {
      appId: instance.appId,
      healthCheckResults: this.#parts.health.results(instance).map((health) => ({
        alive: isAlive(health),
        ...health,
        instanceId: `instance [${instance.id}]`,
      })),
      host: instance.host,
      id: instance.taskId,
      ipAddresses: instance.ipAddresses,
      ports: instance.ports,
      servicePorts: options.servicePorts && app ? servicePorts(app) : [],
      slaveId: instance.agentId,
      state: instance.state,
      stagedAt: instance.stagedAt,
      ...(instance.startedAt ? { startedAt: instance.startedAt } : {}),
      version: instance.version,
      localVolumes: [],
      ...(this.#parts.profile.tellsRoles ? { role: app?.role ?? '*' } : {}),
    };
  }

  #ended(appId: string): readonly Instance[] {
    const { scheduled } = this.#parts.state;
    return [...scheduled.values()].flatMap((one) => (one.appId === appId && one.last ? [one.last] : []));
  }

  /** What is over has no ports, times and version any more. */
  #endedTask(instance: Instance, options: { readonly servicePorts?: boolean }): Record<string, unknown> {
    const { stagedAt: _staged, startedAt: _started, version: _version, ...shown } = this.task(instance, options);
    return { ...shown, ports: [] };
  }

  /** Groups of tasks by how new they are; groups without tasks are left out. */
  #taskStats(app: App, instances: readonly Instance[]): Record<string, unknown> {
    const groups: Record<string, readonly Instance[]> = {
      startedAfterLastScaling: instances.filter(({ version }) => version >= app.lastScalingAt),
      withLatestConfig: instances.filter(({ generation }) => generation >= app.lastConfigChangeAt),
      withOutdatedConfig: instances.filter(({ generation }) => generation < app.lastConfigChangeAt),
      totalSummary: instances,
    };
    const filled = Object.entries(groups).filter(([, group]) => group.length > 0);
    return Object.fromEntries(filled.map(([name, group]) => [name, { stats: this.#stats(app, group) }]));
  }

  #stats(app: App, instances: readonly Instance[]): Record<string, unknown> {
    const { tasksStaged, tasksRunning, tasksHealthy, tasksUnhealthy } = this.counts(app, instances);
    const lives = instances
      .flatMap(({ startedAt }) => (startedAt ? [(this.#parts.nowMs() - Date.parse(startedAt)) / 1000] : []))
      .toSorted((a, b) => a - b);
    const average = lives.reduce((sum, life) => sum + life, 0) / lives.length;
    return {
      counts: { staged: tasksStaged, running: tasksRunning, healthy: tasksHealthy, unhealthy: tasksUnhealthy },
      ...(lives.length > 0
        ? { lifeTime: { averageSeconds: average, medianSeconds: lives[Math.floor(lives.length / 2)] } }
        : {}),
    };
  }
}

function isStaged({ state }: Instance): boolean {
  return state === 'TASK_STAGING' || state === 'TASK_STARTING';
}
