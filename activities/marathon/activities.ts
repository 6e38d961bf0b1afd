import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ObservedApp } from '../../domain/drift.ts';
import { FailureType } from '../../domain/failures.ts';
import { type RevisionApp, RevisionLabel } from '../../domain/revision-app.ts';
import { beating } from '../beating.ts';
import { SharedLook } from '../shared-look.ts';
import { MarathonClient, type MarathonOptions } from './client.ts';
import { lockingDeployments } from './errors.ts';
import { byRevisionNumber, type RevisionStatus, revisionStatus } from './revision-status.ts';
import { shortfall, standing } from './shortfall.ts';
import { definitionDifferences, editedFields } from './stored-definition.ts';
import type { Deployment } from './types.ts';
import { type Patience, until } from './until.ts';

/** The Marathon of an environment. */
export interface MarathonEnvironment extends MarathonOptions {
  /** Group of all apps of the environment, such as `/prod`. */
  readonly group: string;
}

/** Looks for hand-made changes share an answer for so long. */
const SHARED_LOOK_MS = 2_000;

/** The activities on Marathon; all idempotent, all with absolute targets, all may be repeated after any failure. */
export type MarathonActivities = ReturnType<typeof createMarathonActivities>;

/**
 * Activities that create, scale, watch and delete revisions. Those that change something heartbeat all the time, however
 * slow Marathon is, and end early when cancelled. Failures beyond those of `MarathonClient`: `UnknownEnvironment`; others are
 * named at each activity.
 */
export function createMarathonActivities(environments: Readonly<Record<string, MarathonEnvironment>>) {
  const clients = new Map(Object.entries(environments).map(([name, environment]) => [name, marathonAt(environment)]));

  const marathonOf = (environment: string) => {
    const known = clients.get(environment);
    if (known) return known;
    throw ApplicationFailure.create({
      type: FailureType.UnknownEnvironment,
      nonRetryable: true,
      message: `no Marathon is configured for environment "${environment}"; known: ${[...clients.keys()].join(', ')}`,
    });
  };

  /** The client, once it is sure that the app belongs to the environment. */
  const clientFor = (environment: string, appId: string): MarathonClient => {
    const { client, group } = marathonOf(environment);
    if (appId.startsWith(`${group}/`)) return client;
    throw refused(`app ${appId} is not in group ${group || '/'} of environment "${environment}"`);
  };

  /**
   * Makes the app of a revision exist, as wanted. An app of that id with another definition is left alone and the
   * call fails with `SystemRefused`, its details the differences: apps are never edited. So it does when Marathon
   * stored something else than was sent (it ignores unknown fields). The instance count of an existing app stays.
   */
  async function ensureRevision(input: {
    readonly environment: string;
    readonly app: RevisionApp;
  }): Promise<{ appId: string }> {
    return beating(async () => {
      const { environment, app } = input;
      const client = clientFor(environment, app.id);
      const signal = Context.current().cancellationSignal;
      let stored = await client.getApp(app.id, { signal });
      if (!stored) {
        // Marathon may have made the change although it answered 503, or not at all: look before calling it failed.
        const failure = await client.createApp(app, { signal }).then(
          () => undefined,
          (error: unknown) => error,
        );
        stored = await client.getApp(app.id, { signal });
        if (!stored && failure) throw failure;
      }
      if (!stored) {
        throw ApplicationFailure.create({
          type: FailureType.NotVerified,
          message: `Marathon ${client.url}: app ${app.id} was created but is not there when read back`,
        });
      }
      const differences = definitionDifferences(app, stored);
      if (differences.length > 0) {
        const list = differences.map(
          ({ path, wanted, stored }) => `${path} is ${JSON.stringify(stored)}, wanted ${JSON.stringify(wanted)}`,
        );
        throw refused(
          `app ${app.id} has another definition: ${list.join('; ')}. Revisions are never edited; use a new one`,
          differences,
        );
      }
      return { appId: app.id };
    });
  }

  /**
   * Brings a revision to a number of instances. With `waitHealthy` it returns when exactly so many exist and all are
   * healthy (running, where the app has no checks); else when Marathon has taken the number. At the deadline it
   * fails, not retryable, with `CapacityExhausted`, `RevisionUnhealthy` or `DeadlineExceeded` (see `shortfall`).
   * A deployment that only starts or scales this very app is overridden; any other that locks it is waited for.
   */
  async function scaleRevision(input: {
    readonly environment: string;
    readonly appId: string;
    readonly instances: number;
    readonly waitHealthy: boolean;
    readonly deadlineSeconds: number;
  }): Promise<RevisionStatus> {
    const { environment, appId, instances, waitHealthy, deadlineSeconds } = input;
    const client = clientFor(environment, appId);
    const signal = Context.current().cancellationSignal;
    const patience: Patience = { deadline: performance.now() + deadlineSeconds * 1000 };
    let seen: { healthy: number; wanted: number } | undefined;

    return beating(
      async () => {
        const set = await until(patience, async () => {
          const status = await observe(client, appId);
          if (!status.exists) throw refused(`app ${appId} does not exist, so it can't have ${instances} instances`);
          if (status.instances === instances) return { done: true, value: status };
          try {
            await client.scaleApp(appId, instances, { signal });
          } catch (error) {
            const locks = lockingDeployments(error);
            if (!locks) throw error;
            const running = (await client.deployments({ signal })).filter(({ id }) => locks.includes(id));
            if (!running.every((deployment) => onlyScales(deployment, appId))) throw error;
            await client.scaleApp(appId, instances, { signal, force: true });
          }
          return { done: false, value: status };
        });
        if (!set.done) {
          throw (
            set.lastError ??
            ApplicationFailure.create({
              type: FailureType.NotVerified,
              message: `Marathon ${client.url}: ${appId} still reads ${set.value?.instances} instances ${deadlineSeconds} s after ${instances} were asked for`,
            })
          );
        }
        if (!waitHealthy) return set.value;

        const reached = await until(patience, async () => {
          const status = await observe(client, appId);
          if (!status.exists) throw refused(`app ${appId} was deleted while it was scaled to ${instances} instances`);
          seen = { healthy: status.healthy, wanted: instances };
          Context.current().heartbeat(seen);
          return { done: status.healthy === instances && status.tasks.length === instances, value: status };
        });
        if (reached.done) return reached.value;
        if (!reached.value) throw reached.lastError;
        const queued = (await client.queue({ signal })).find((item) => item.app?.id === appId);
        throw shortfall(reached.value, instances, deadlineSeconds, queued);
      },
      () => seen,
    );
  }

  return {
    ensureRevision,
    scaleRevision,

    /**
     * Both for several revisions side by side: each exists, has exactly so many instances, and all are healthy. When one
     * does not get there this fails as `ensureRevision` or `scaleRevision` do, once the others have come to their end.
     */
    async startRevisions(input: {
      readonly environment: string;
      /** Each with the instances that it is to have. */
      readonly apps: readonly RevisionApp[];
      readonly deadlineSeconds: number;
    }): Promise<void> {
      const { apps, deadlineSeconds, environment } = input;
      const started = await Promise.allSettled(
        apps.map(async (app) => {
          const { appId } = await ensureRevision({ environment, app });
          await scaleRevision({ environment, appId, instances: app.instances, waitHealthy: true, deadlineSeconds });
        }),
      );
      const failed = started.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
    },

    /** What Marathon says of a revision now; `exists: false` where there is no such app. */
    async observeRevision(input: { readonly environment: string; readonly appId: string }): Promise<RevisionStatus> {
      return observe(clientFor(input.environment, input.appId), input.appId);
    },

    /** All revisions of a service in an environment, oldest first. */
    async listRevisions(input: {
      readonly environment: string;
      readonly service: string;
    }): Promise<readonly RevisionStatus[]> {
      const { client, group } = marathonOf(input.environment);
      const apps = await client.listApps(
        {
          group: `${group}/${input.service}`,
          label: `${RevisionLabel.Service}==${input.service}`,
          embed: ['tasks', 'lastTaskFailure'],
        },
        { signal: Context.current().cancellationSignal },
      );
      return apps.map((app) => revisionStatus(app.id, app)).toSorted(byRevisionNumber);
    },

    /**
     * Every app of a service, how many of its instances are healthy, and in which fields those that are revisions are not
     * as they should be.
     *
     * @param input.apps the revisions that should be there
     * @param input.fresh asks Marathon anew, also where it was asked a moment ago
     */
    async observeApps(input: {
      readonly environment: string;
      readonly service: string;
      readonly apps: readonly RevisionApp[];
      readonly fresh: boolean;
    }): Promise<readonly ObservedApp[]> {
      const { group, everyApp } = marathonOf(input.environment);
      const found = (await everyApp.get(input.fresh)).filter(({ id }) => id.startsWith(`${group}/${input.service}/`));
      return found.map((stored) => {
        const wanted = input.apps.find(({ id }) => id === stored.id);
        const { tasksHealthy, tasksRunning } = stored;
        const healthy = stored.healthChecks.length > 0 ? tasksHealthy : tasksRunning;
        return {
          appId: stored.id,
          instances: stored.instances,
          ...(healthy === undefined ? {} : { healthy }),
          edited: wanted ? editedFields(wanted, stored) : [],
        };
      });
    },

    /** What Marathon says of the instances of a revision now, in words. */
    async tellInstances(input: { readonly environment: string; readonly appId: string }): Promise<string> {
      return standing(await observe(clientFor(input.environment, input.appId), input.appId));
    },

    /** Fields of an app as Marathon holds them, by their names; `SystemRefused` where there is no such app. */
    async readAppFields(input: {
      readonly environment: string;
      readonly appId: string;
      readonly fields: readonly string[];
    }): Promise<Readonly<Record<string, unknown>>> {
      const app = await clientFor(input.environment, input.appId).getApp(input.appId);
      if (!app) throw refused(`app ${input.appId} does not exist any more`);
      return Object.fromEntries(input.fields.map((field) => [field, Reflect.get(app, field) ?? null]));
    },

    /**
     * Removes a revision and returns when its last instance is gone; an app that is not there is removed already.
     * `DeadlineExceeded`, retryable, when instances still end after `deadlineSeconds` (default 120).
     */
    async deleteRevision(input: {
      readonly environment: string;
      readonly appId: string;
      readonly deadlineSeconds?: number;
    }): Promise<void> {
      const { environment, appId, deadlineSeconds = 120 } = input;
      const client = clientFor(environment, appId);
      const signal = Context.current().cancellationSignal;
      const patience: Patience = { deadline: performance.now() + deadlineSeconds * 1000 };
      let deleted = false;
      let seen: { stopping: boolean; tasks: number } | undefined;
      return beating(
        async () => {
          const gone = await until(patience, async () => {
            if (!deleted) {
              await client.deleteApp(appId, { signal });
              deleted = (await client.getApp(appId, { signal })) === undefined;
            }
            // From the answer on the app is not shown any more, although its tasks still end: the deployment that stops
            // them tells, and the list of all tasks where this Marathon keeps them there.
            const stopping = (await client.deployments({ signal })).some(({ affectedApps }) =>
              affectedApps.includes(appId),
            );
            const tasks = (await client.listAllTasks({ signal })).filter((task) => task.appId === appId).length;
            seen = { stopping, tasks };
            Context.current().heartbeat(seen);
            return { done: deleted && !stopping && tasks === 0, value: tasks };
          });
          if (gone.done) return;
          throw (
            gone.lastError ??
            ApplicationFailure.create({
              type: FailureType.DeadlineExceeded,
              message: `Marathon ${client.url}: ${gone.value} instances of ${appId} have not ended ${deadlineSeconds} s after the app was deleted; look at their agents`,
            })
          );
        },
        () => seen,
      );
    },
  };
}

function marathonAt(environment: MarathonEnvironment) {
  const client = new MarathonClient(environment);
  const everyApp = new SharedLook(() => client.listApps(), SHARED_LOOK_MS);
  return { client, everyApp, group: environment.group.replace(/\/+$/, '') };
}

async function observe(client: MarathonClient, appId: string): Promise<RevisionStatus> {
  return revisionStatus(appId, await client.getApp(appId, { signal: Context.current().cancellationSignal }));
}

/**
 * True for a deployment that only starts or scales this app. To cancel it by force leaves nothing half changed, since a
 * revision's definition never changes; without force a start that finds no capacity would lock its own undoing for ever.
 */
function onlyScales(deployment: Deployment, appId: string): boolean {
  const actions = deployment.steps.flatMap((step) => step.actions);
  return actions.every(
    ({ action, app }) => app === appId && (action === 'StartApplication' || action === 'ScaleApplication'),
  );
}

function refused(message: string, details?: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.SystemRefused,
    nonRetryable: true,
    message: `Marathon: ${message}`,
    ...(details === undefined ? {} : { details: [details] }),
  });
}
