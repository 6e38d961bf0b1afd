import type { Journal } from '../journal.ts';
import { AppVersions } from './app-versions.ts';
import type { Backoff } from './backoff.ts';
import { findApp, type Root } from './groups.ts';
import type { App, DeploymentPlan, Instance, Scheduled, TaskFailure } from './model.ts';
import { RootHistory } from './root-history.ts';

/** A deployment that runs: its plan and how far it is. */
export interface RunningDeployment {
  readonly plan: DeploymentPlan;
  /** Index of the step under way. */
  readonly step: number;
}

/**
 * Everything this Marathon must remember, in memory and in the journal. What is read out of it was written by
 * this class, so it is taken as it is.
 */
export class State {
  readonly #journal: Journal;
  readonly instances = new Map<string, Instance>();
  /** By id; empty where instances begin with their launch. */
  readonly scheduled = new Map<string, Scheduled>();
  readonly deployments = new Map<string, RunningDeployment>();
  /** Not kept over a restart, after which every delay starts anew. */
  readonly backoffs = new Map<string, Backoff>();
  readonly #failures = new Map<string, TaskFailure>();
  readonly versions: AppVersions;
  readonly #roots: RootHistory;
  readonly #byApp = new Map<string, Map<string, Instance>>();
  readonly #byTask = new Map<string, Instance>();
  #lastStamp: number;

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#roots = new RootHistory(journal);
    this.versions = new AppVersions(journal);
    for (const [, value] of journal.withPrefix('instance ')) this.#remember(value as Instance);
    for (const [, value] of journal.withPrefix('scheduled ')) {
      const scheduled = value as Scheduled;
      this.scheduled.set(scheduled.id, scheduled);
    }
    for (const [, value] of journal.withPrefix('deployment ')) {
      const deployment = value as RunningDeployment;
      this.deployments.set(deployment.plan.id, deployment);
    }
    for (const [key, value] of journal.withPrefix('failure ')) {
      this.#failures.set(key.slice('failure '.length), value as TaskFailure);
    }
    this.#lastStamp = Math.max(...this.roots.map(({ version }) => Date.parse(version)), 0);
  }

  get root(): Root {
    return this.#roots.current;
  }

  /** Trees that were refused, then former ones and the present one; of either the oldest first. */
  get roots(): readonly Root[] {
    return this.#roots.all;
  }

  /** A timestamp that is now, or later if need be: no two versions are equal, and each is above all before. */
  nextVersion(nowMs: number): string {
    this.#lastStamp = Math.max(nowMs, this.#lastStamp + 1);
    return new Date(this.#lastStamp).toISOString();
  }

  /** Stores a new tree and the versions of the apps that changed with it. */
  setRoot(root: Root, changed: readonly App[]): void {
    for (const appId of this.#roots.push(root)) this.versions.forget(appId);
    for (const app of changed) this.versions.accept(app);
  }

  /** Keeps what a change would have made, as Marathon does: it is refused only when it is stored. */
  setRefused(root: Root, changed: readonly App[]): void {
    this.#roots.pushRefused(root);
    for (const app of changed) this.versions.refuse(app);
  }

  app(id: string): App | undefined {
    return findApp(this.root, id);
  }

  /** An app as it was, or is, in one of its configurations; its instance count may have been another. */
  configOf({ appId, generation }: { readonly appId: string; readonly generation: string }): App | undefined {
    const now = this.app(appId);
    if (now?.generation === generation) return now;
    return this.versions.accepted(appId).findLast((version) => version.generation === generation);
  }

  /** An app is gone for good: only its versions stay, as long as a tree that is kept has it. */
  forgetApp(id: string): void {
    this.versions.gone(id);
    this.#failures.delete(id);
    this.#journal.remove(`failure ${id}`);
    for (const key of this.backoffs.keys()) if (key.startsWith(`${id} `)) this.setBackoff(key, undefined);
  }

  putInstance(instance: Instance): void {
    this.#remember(instance);
    this.#journal.put(`instance ${instance.id}`, instance);
  }

  removeInstance(id: string): void {
    const instance = this.instances.get(id);
    if (!instance) return;
    this.instances.delete(id);
    this.#byTask.delete(instance.taskId);
    const others = this.#byApp.get(instance.appId);
    others?.delete(id);
    if (others?.size === 0) this.#byApp.delete(instance.appId);
    this.#journal.remove(`instance ${id}`);
  }

  putScheduled(one: Scheduled): void {
    this.scheduled.set(one.id, one);
    this.#journal.put(`scheduled ${one.id}`, one);
  }

  removeScheduled(id: string): void {
    this.scheduled.delete(id);
    this.#journal.remove(`scheduled ${id}`);
  }

  instancesOf(appId: string): readonly Instance[] {
    return [...(this.#byApp.get(appId)?.values() ?? [])];
  }

  instanceByTask(taskId: string): Instance | undefined {
    return this.#byTask.get(taskId);
  }

  putDeployment(deployment: RunningDeployment): void {
    this.deployments.set(deployment.plan.id, deployment);
    this.#journal.put(`deployment ${deployment.plan.id}`, deployment);
  }

  removeDeployment(id: string): void {
    this.deployments.delete(id);
    this.#journal.remove(`deployment ${id}`);
  }

  failure(appId: string): TaskFailure | undefined {
    return this.#failures.get(appId);
  }

  setFailure(failure: TaskFailure): void {
    this.#failures.set(failure.appId, failure);
    this.#journal.put(`failure ${failure.appId}`, failure);
  }

  setBackoff(key: string, backoff: Backoff | undefined): void {
    if (backoff) this.backoffs.set(key, backoff);
    else this.backoffs.delete(key);
  }

  get frameworkId(): string | undefined {
    return this.#journal.get('framework') as string | undefined;
  }

  setFrameworkId(id: string | undefined): void {
    if (id === undefined) this.#journal.remove('framework');
    else if (id !== this.frameworkId) this.#journal.put('framework', id);
  }

  #remember(instance: Instance): void {
    const before = this.instances.get(instance.id);
    // A task that takes the place of another in the same instance.
    if (before && before.taskId !== instance.taskId) this.#byTask.delete(before.taskId);
    this.instances.set(instance.id, instance);
    this.#byTask.set(instance.taskId, instance);
    const others = this.#byApp.get(instance.appId) ?? new Map<string, Instance>();
    this.#byApp.set(instance.appId, others.set(instance.id, instance));
  }
}
