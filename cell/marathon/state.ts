import type { Backoff } from './backoff.ts';
import { EMPTY_ROOT, findApp, type Root } from './groups.ts';
import type { App, DeploymentPlan, Instance, TaskFailure } from './model.ts';
import type { Store } from './store.ts';

/** How many versions of the root group, and of each app, are kept. */
const KEPT_VERSIONS = 50;

/** A deployment that runs: its plan and how far it is. */
export interface RunningDeployment {
  readonly plan: DeploymentPlan;
  /** Index of the step under way. */
  readonly step: number;
}

/**
 * Everything this Marathon must remember, in memory and in the store. What is read out of the store was written by
 * this class, so it is taken as it is.
 */
export class State {
  readonly #store: Store;
  readonly instances = new Map<string, Instance>();
  readonly deployments = new Map<string, RunningDeployment>();
  /** Not kept over a restart, after which every delay starts anew. */
  readonly backoffs = new Map<string, Backoff>();
  readonly #failures = new Map<string, TaskFailure>();
  readonly #versions = new Map<string, App[]>();
  #roots: Root[];
  #lastStamp: number;

  constructor(store: Store) {
    this.#store = store;
    this.#roots = [...store.withPrefix('root ')].map(([, value]) => value as Root);
    for (const [, value] of store.withPrefix('instance ')) this.#remember(value as Instance);
    for (const [, value] of store.withPrefix('deployment ')) {
      const deployment = value as RunningDeployment;
      this.deployments.set(deployment.plan.id, deployment);
    }
    for (const [key, value] of store.withPrefix('failure ')) {
      this.#failures.set(key.slice('failure '.length), value as TaskFailure);
    }
    for (const [key, value] of store.withPrefix('versions ')) {
      this.#versions.set(key.slice('versions '.length), value as App[]);
    }
    this.#lastStamp = Math.max(Date.parse(this.root.version), 0);
  }

  get root(): Root {
    return this.#roots.at(-1) ?? EMPTY_ROOT;
  }

  /** Former and present trees, oldest first. */
  get roots(): readonly Root[] {
    return this.#roots;
  }

  /** A timestamp that is now, or later if need be: no two versions are equal, and each is above all before. */
  nextVersion(nowMs: number): string {
    this.#lastStamp = Math.max(nowMs, this.#lastStamp + 1);
    return new Date(this.#lastStamp).toISOString();
  }

  /** Stores a new tree and the versions of the apps that changed with it. */
  setRoot(root: Root, changed: readonly App[]): void {
    this.#store.put(`root ${root.version}`, root);
    this.#roots.push(root);
    for (const old of this.#roots.splice(0, this.#roots.length - KEPT_VERSIONS)) {
      this.#store.remove(`root ${old.version}`);
    }
    for (const app of changed) {
      const versions = [...(this.#versions.get(app.id) ?? []), app].slice(-KEPT_VERSIONS);
      this.#versions.set(app.id, versions);
      this.#store.put(`versions ${app.id}`, versions);
    }
  }

  app(id: string): App | undefined {
    return findApp(this.root, id);
  }

  /** Stored versions of an app, oldest first. */
  versions(id: string): readonly App[] {
    return this.#versions.get(id) ?? [];
  }

  /** What is left of an app that is gone for good. */
  forgetApp(id: string): void {
    this.#versions.delete(id);
    this.#store.remove(`versions ${id}`);
    this.#failures.delete(id);
    this.#store.remove(`failure ${id}`);
    for (const key of this.backoffs.keys()) if (key.startsWith(`${id} `)) this.setBackoff(key, undefined);
  }

  putInstance(instance: Instance): void {
    this.#remember(instance);
    this.#store.put(`instance ${instance.id}`, instance);
  }

  removeInstance(id: string): void {
    this.instances.delete(id);
    this.#store.remove(`instance ${id}`);
  }

  instancesOf(appId: string): readonly Instance[] {
    return [...this.instances.values()].filter((instance) => instance.appId === appId);
  }

  instanceByTask(taskId: string): Instance | undefined {
    return [...this.instances.values()].find((instance) => instance.taskId === taskId);
  }

  putDeployment(deployment: RunningDeployment): void {
    this.deployments.set(deployment.plan.id, deployment);
    this.#store.put(`deployment ${deployment.plan.id}`, deployment);
  }

  removeDeployment(id: string): void {
    this.deployments.delete(id);
    this.#store.remove(`deployment ${id}`);
  }

  failure(appId: string): TaskFailure | undefined {
    return this.#failures.get(appId);
  }

  setFailure(failure: TaskFailure): void {
    this.#failures.set(failure.appId, failure);
    this.#store.put(`failure ${failure.appId}`, failure);
  }

  setBackoff(key: string, backoff: Backoff | undefined): void {
    if (backoff) this.backoffs.set(key, backoff);
    else this.backoffs.delete(key);
  }

  get frameworkId(): string | undefined {
    return this.#store.get('framework') as string | undefined;
  }

  setFrameworkId(id: string | undefined): void {
    if (id === undefined) this.#store.remove('framework');
    else if (id !== this.frameworkId) this.#store.put('framework', id);
  }

  #remember(instance: Instance): void {
    this.instances.set(instance.id, instance);
  }
}
