import { randomUUID } from 'node:crypto';
import type { AppChanges } from './app.ts';
import { changeApp, completeApp, configOf } from './app.ts';
import { planDeployment, restamp, revertedApps, stampApp } from './deployments.ts';
import type { EventBus } from './events.ts';
import {
  allApps,
  appDifferences,
  CYCLE,
  dependencyLevels,
  type Group,
  type Root,
  sharedId,
  withApp,
  withoutApp,
  withoutEmptyGroups,
} from './groups.ts';
import { appNotFound, HttpError, invalidObject, NothingToChange, notFound } from './http-error.ts';
import type { App, AppConfig, DeploymentPlan, Instance } from './model.ts';
import { emitPlan, type Orchestrator } from './orchestrator.ts';
import { parentPath } from './path-id.ts';
import type { Profile } from './profile.ts';
import { assignServicePorts, servicePorts } from './service-ports.ts';
import type { State } from './state.ts';
import { appProblems } from './validation.ts';

const LOCKED =
  "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.";
const CANCELLED = 'The upgrade has been cancelled';
/** Marathon's `max_running_deployments`. */
const MAX_DEPLOYMENTS = 100;
/** Without the blank that Marathon forgot. */
const TOO_MANY = `Max number (${MAX_DEPLOYMENTS}) of running deployments is achieved. Wait for existing deployments to complete or cancel oneusing force=true parameter. You can increase max deployment number by using --max_running_deployments parameter but be advised that this can have negative effects on the performance.`;

export interface UpdatesParts {
  readonly state: State;
  readonly bus: EventBus;
  readonly orchestrator: Orchestrator;
  readonly profile: Profile;
  readonly nowMs: () => number;
}

/** What a change came to. */
export interface UpdateResult {
  readonly version: string;
  readonly deploymentId: string;
}

interface ChangeOptions {
  /** Cancels running deployments that are in the way. */
  readonly force: boolean;
  /** The group that events name. */
  readonly group: string;
  readonly sentenced?: readonly string[];
  /** A deployment to cancel in any case. */
  readonly replaces?: string;
  /** Of the change; a new one, unless it is given. */
  readonly version?: string | undefined;
}

/** Every change of apps and groups goes through here, one after the other: checked, planned, stored, begun, told. */
export class Updates {
  readonly #parts: UpdatesParts;
  /** That of all that is undone by this leader, where it has but one. */
  readonly #revertVersion: string;

  constructor(parts: UpdatesParts) {
    this.#parts = parts;
    this.#revertVersion = parts.state.nextVersion(parts.nowMs());
  }

  createApp(id: string, changes: AppChanges, force: boolean): UpdateResult & { readonly app: AppConfig } {
    const wanted = this.checked(completeApp(id, changes, this.#parts.profile));
    const result = this.change({ force, group: parentPath(id) }, (tree, stamp) => {
      if (this.#parts.state.app(id)) {
        throw new HttpError(409, { message: `An app with id [${id}] already exists.` });
      }
      return stamp(tree, wanted);
    });
    return { ...result, app: wanted };
  }

  /** Several apps in one deployment; those that do not exist are created. */
  updateApps(
    updates: readonly { readonly id: string; readonly changes: AppChanges; readonly full?: boolean }[],
    { force, many = false }: { readonly force: boolean; readonly many?: boolean },
  ): UpdateResult {
    const { state, profile } = this.#parts;
    const wanted = updates.map(({ id, changes, full }) => {
      const before = state.app(id);
      // An app that comes with others gets no port that nobody asked for.
      const portless = many && !changes.portDefinitions && !changes.networks && !changes.container;
      const complete = () => completeApp(id, { ...(portless ? { portDefinitions: [] } : {}), ...changes }, profile);
      return before && !full ? changeApp(configOf(before), changes, profile) : complete();
    });
    // One is looked at before it is a change, many are as one change.
    if (!many) for (const app of wanted) this.checked(app);
    const [first] = wanted;
    const group = many || !first ? '/' : parentPath(first.id);
    return this.change({ force, group }, (tree, stamp) =>
      wanted.reduce((changed, app) => stamp(changed, this.checked(app)), tree),
    );
  }

  /** Goes back to a stored version; an app without it is told to be missing. */
  rollBackApp(id: string, version: string, force: boolean): UpdateResult {
    const { state } = this.#parts;
    return this.change({ force, group: parentPath(id) }, (tree, stamp) => {
      const old = state.versions.find(id, version);
      if (!old || !state.app(id)) throw appNotFound(id);
      return stamp(tree, configOf(old));
    });
  }

  deleteApp(id: string, force: boolean): UpdateResult {
    return this.change({ force, group: parentPath(id) }, (tree) => {
      if (!this.#parts.state.app(id)) throw appNotFound(id);
      return withoutApp(tree, id);
    });
  }

  restartApp(id: string, force: boolean): UpdateResult {
    return this.change({ force, group: parentPath(id) }, (tree, _stamp, version) => {
      const app = this.#parts.state.app(id);
      if (!app) throw appNotFound(id);
      return withApp(tree, restamp(app, version));
    });
  }

  /** Lowers the number of instances of each app by those of its tasks that are not being killed already. */
  killAndScale(instances: readonly Instance[], force: boolean): UpdateResult {
    const counted = instances.filter(({ goal }) => goal === 'Running');
    const byApp = Map.groupBy(counted, ({ appId }) => appId);
    const sentenced = counted.map(({ taskId }) => taskId);
    return this.change({ force, group: '/', sentenced }, (tree, stamp) => {
      let changed = tree;
      for (const [appId, killed] of byApp) {
        const app = this.#parts.state.app(appId);
        if (!app) continue;
        changed = stamp(changed, { ...configOf(app), instances: Math.max(0, app.instances - killed.length) });
      }
      return changed;
    });
  }

  /** Undoes a running deployment by a new one. */
  revertDeployment(id: string): UpdateResult {
    const { state, profile } = this.#parts;
    const deployment = state.deployments.get(id);
    if (!deployment) throw notFound(`DeploymentPlan ${id} does not exist`);
    const version = profile.revertsShareVersion ? this.#revertVersion : undefined;
    return this.change({ force: true, group: '/', replaces: id, version }, (tree, stamp, version) => {
      let changed = tree;
      for (const { id: appId, config, restarts } of revertedApps(deployment.plan, state.root)) {
        changed = config ? stamp(changed, config) : withoutApp(changed, appId);
        const app = restarts ? state.app(appId) : undefined;
        if (app) changed = withApp(changed, restamp(app, version));
      }
      return withoutEmptyGroups(changed, deployment.plan.addedGroups);
    });
  }

  /** Stops a running deployment and leaves everything as it stands. */
  stopDeployment(id: string): void {
    if (!this.#parts.state.deployments.has(id)) throw notFound(`DeploymentPlan ${id} does not exist`);
    this.#parts.orchestrator.cancel(id, CANCELLED);
  }

  /** The plan a change would have, and nothing else. */
  dryRun(change: (tree: Group, stamp: Stamp, version: string) => Group): DeploymentPlan {
    const version = new Date(this.#parts.nowMs()).toISOString();
    const to = this.#target(change, version);
    return planDeployment({ id: randomUUID(), from: this.#parts.state.root, to });
  }

  /**
   * @param change makes the new tree; it stores an app with the `stamp` it is given, which sets versions and service
   * ports by what was there before
   */
  change(options: ChangeOptions, change: (tree: Group, stamp: Stamp, version: string) => Group): UpdateResult {
    const { state, bus, orchestrator, nowMs } = this.#parts;
    const version = options.version ?? state.nextVersion(nowMs());
    const id = randomUUID();
    let to: Root;
    let plan: DeploymentPlan;
    try {
      this.#checkRoom();
      to = this.#target(change, version);
      plan = planDeployment({ id, from: state.root, to, sentenced: options.sentenced ?? [] });
      this.#unlock(plan, to, options);
    } catch (error) {
      if (error instanceof HttpError) {
        // There the original tells its inner state at length.
        const dump = `Validation failed: Failure(${JSON.stringify(error.body['details'])})`;
        const reason = error.message === 'Object is not valid' ? dump : error.message;
        bus.publish('group_change_failed', { groupId: options.group, version, reason });
        if (error.status === 404) throw new NothingToChange(error.message);
      }
      throw error;
    }
    state.setRoot(to, this.#changedBy(to));
    orchestrator.start(plan);
    bus.publish('group_change_success', { groupId: options.group, version });
    return { version, deploymentId: id };
  }

  /** The app, when no rule speaks against it. */
  checked(app: AppConfig): AppConfig {
    const problems = appProblems(app, this.#parts.profile);
    if (problems.length > 0) throw invalidObject(problems);
    return app;
  }

  #target(change: (tree: Group, stamp: Stamp, version: string) => Group, version: string): Root {
    const { state } = this.#parts;
    const taken = new Set(allApps(state.root).flatMap((app) => servicePorts(app)));
    const stamp: Stamp = (tree, wanted) => {
      const before = state.app(wanted.id);
      const app = stampApp(assignServicePorts(wanted, before, taken), before, version);
      for (const port of servicePorts(app)) taken.add(port);
      return withApp(tree, app);
    };
    const to = { version, group: change(state.root.group, stamp, version) };
    if (sharedId(to.group) !== undefined) {
      const error = 'Groups and Applications may not have the same identifier.';
      throw invalidObject([{ path: '/', error }]);
    }
    if (dependencyLevels(to) === CYCLE) {
      throw invalidObject([{ path: '/', error: 'Dependency graph has cyclic dependencies.' }]);
    }
    return to;
  }

  #changedBy(to: Root): readonly App[] {
    return appDifferences(this.#parts.state.root.group, to.group).flatMap(({ after }) => after ?? []);
  }

  /** With so many deployments under way nothing can be changed at all, not even by force; only stopping one helps. */
  #checkRoom(): void {
    if (this.#parts.state.deployments.size >= MAX_DEPLOYMENTS) throw new HttpError(403, { message: TOO_MANY });
  }

  /** Clears the way for a plan, or says what stands in it. */
  #unlock(plan: DeploymentPlan, to: Root, options: ChangeOptions): void {
    const { state, bus, orchestrator } = this.#parts;
    const locks = new Set(orchestrator.locks(plan));
    if (locks.size > 0 && !options.force) {
      state.setRefused(to, this.#changedBy(to));
      bus.publish('deployment_failed', { id: plan.id, plan: emitPlan(plan), reason: LOCKED });
      throw new HttpError(409, { message: LOCKED, deployments: [...locks].map((id) => ({ id })) });
    }
    if (options.replaces !== undefined) locks.add(options.replaces);
    for (const id of locks) orchestrator.cancel(id, CANCELLED);
  }
}

/** Stores an app in a tree, with the versions that its change calls for. */
export type Stamp = (tree: Group, wanted: AppConfig) => Group;
