import { revisionNumber } from '../../domain/environment.ts';
import { RevisionLabel } from '../../domain/revision-app.ts';
import type { MarathonApp, MarathonTask } from './types.ts';

/** One instance of a revision. */
export interface InstanceStatus {
  /** Marathon's task id; opaque. */
  readonly id: string;
  readonly host: string;
  /** The first port; absent while Marathon names none. */
  readonly port?: number;
  readonly ports: readonly number[];
  /** Name of a Mesos task state, such as `TASK_RUNNING`. */
  readonly state: string;
  /** Runs, and every health check was green at last; without checks: runs. */
  readonly healthy: boolean;
  /** ISO 8601; absent before the start. */
  readonly startedAt?: string;
}

/** What Marathon says of a revision now. */
export interface RevisionStatus {
  readonly appId: string;
  readonly exists: boolean;
  /** Last part of the app id, such as `r7`. */
  readonly revision: string;
  readonly labels: Readonly<Record<string, string>>;
  /** How many are wanted. */
  readonly instances: number;
  readonly running: number;
  /** Of those running: fit to serve. */
  readonly healthy: number;
  /** Of those running: with a check that is red. Neither healthy nor unhealthy: not looked at yet. */
  readonly unhealthy: number;
  /** Started but not running yet. */
  readonly staged: number;
  /** Every instance that exists, also those that start or end. */
  readonly tasks: readonly InstanceStatus[];
  readonly image?: string;
  /** Id of the bundle, from the label. */
  readonly bundle?: string;
  readonly lastFailure?: LastFailure;
  /** Ids of deployments that change the app now. */
  readonly deployments: readonly string[];
}

/** How the last instance ended that did not end well. */
export interface LastFailure {
  readonly state: string;
  readonly message: string;
  /** ISO 8601. */
  readonly at: string;
  readonly host?: string;
}

/** Reads the status out of an app that was asked for with tasks and last failure; undefined: there is none. */
export function revisionStatus(appId: string, app: MarathonApp | undefined): RevisionStatus {
  const revision = appId.slice(appId.lastIndexOf('/') + 1);
  if (!app) {
    return {
      appId,
      exists: false,
      revision,
      labels: {},
      instances: 0,
      running: 0,
      healthy: 0,
      unhealthy: 0,
      staged: 0,
      tasks: [],
      deployments: [],
    };
  }
  const checked = app.healthChecks.length > 0;
  const running = app.tasks.filter((task) => task.state === 'TASK_RUNNING');
  const image = app.container?.docker?.image;
  const bundle = app.labels[RevisionLabel.Bundle];
  const failure = app.lastTaskFailure;
  return {
    appId,
    exists: true,
    revision,
    labels: app.labels,
    instances: app.instances,
    running: running.length,
    healthy: running.filter((task) => serves(task, checked)).length,
    unhealthy: running.filter((task) => task.healthCheckResults.some((result) => !result.alive)).length,
    staged: app.tasks.filter((task) => task.state === 'TASK_STAGING' || task.state === 'TASK_STARTING').length,
    tasks: app.tasks.map((task) => instanceStatus(task, checked)),
    ...(image === undefined ? {} : { image }),
    ...(bundle === undefined ? {} : { bundle }),
    ...(failure
      ? {
          lastFailure: {
            state: failure.state,
            message: failure.message,
            at: failure.timestamp,
            ...(failure.host === undefined ? {} : { host: failure.host }),
          },
        }
      : {}),
    deployments: app.deployments.map((deployment) => deployment.id),
  };
}

/** Oldest revision first, a baseline beside its revision; apps that are no revisions come last. */
export function byRevisionNumber(a: RevisionStatus, b: RevisionStatus): number {
  return (revisionNumber(a.revision) ?? Number.MAX_VALUE) - (revisionNumber(b.revision) ?? Number.MAX_VALUE);
}

function instanceStatus(task: MarathonTask, checked: boolean): InstanceStatus {
  const port = task.ports[0];
  return {
    id: task.id,
    host: task.host,
    ...(port === undefined ? {} : { port }),
    ports: task.ports,
    state: task.state,
    healthy: serves(task, checked),
    ...(task.startedAt ? { startedAt: task.startedAt } : {}),
  };
}

function serves(task: MarathonTask, checked: boolean): boolean {
  if (task.state !== 'TASK_RUNNING') return false;
  if (!checked) return true;
  return task.healthCheckResults.length > 0 && task.healthCheckResults.every((result) => result.alive);
}
