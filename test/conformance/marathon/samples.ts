import { z } from 'zod';
import { ask } from './asking.ts';
import type { GoldenRecord } from './golden-record.ts';

/**
 * The recorder also looked at an app four times a second and wrote down its counts whenever they had changed. Which of
 * the states between two requests it saw is chance, there as here; where an app had come to rest, it is not.
 */

type Sample = GoldenRecord['samples'][number];

const appShape = z.object({
  version: z.string(),
  instances: z.number(),
  tasksStaged: z.number(),
  tasksRunning: z.number(),
  tasksHealthy: z.number(),
  tasksUnhealthy: z.number(),
  deployments: z.array(z.unknown()),
  tasks: z.array(
    z.object({
      version: z.string().optional(),
      state: z.string(),
      healthCheckResults: z.array(z.object({ alive: z.boolean() })).default([]),
    }),
  ),
});

/** Samples of apps at rest before a request: the last of each app, if it was taken after the change before. */
export function atRestBefore(record: GoldenRecord, t: number): readonly Sample[] {
  const changes = record.steps.filter(({ t: then, request }) => then < t && request && request.method !== 'GET');
  const last = changes.at(-1);
  const since = last ? last.t + (last.ms ?? 0) : 0;
  const taken = record.samples.filter((sample) => sample.t > since && sample.t <= t);
  const newest = new Map(taken.map((sample) => [sample.app, sample]));
  return [...newest.values()].filter(isAtRest);
}

function isAtRest({ deployments, staged, tasksByVersion }: Sample): boolean {
  return (
    deployments === 0 && staged === 0 && !Object.values(tasksByVersion).some((states) => 'TASK_STARTING' in states)
  );
}

/** The app as the recorder would have sampled it now. */
export async function sampled(url: string, appId: string): Promise<unknown> {
  const { body } = await ask(url, { method: 'GET', path: `/v2/apps/${appId}` });
  const { app } = z.object({ app: appShape }).parse(body);
  const states = app.tasks.map(({ version, state, healthCheckResults: [result] }) => ({
    version,
    state: result === undefined ? state : `${state}/${result.alive ? 'alive' : 'notalive'}`,
  }));
  return {
    appVersion: app.version,
    instances: app.instances,
    staged: app.tasksStaged,
    running: app.tasksRunning,
    healthy: app.tasksHealthy,
    unhealthy: app.tasksUnhealthy,
    deployments: app.deployments.length,
    tasks: states.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  };
}

/** A recorded sample in the same form. */
export function recordedSample({ t: _t, app: _app, tasksByVersion, ...counts }: Sample): unknown {
  const tasks = Object.entries(tasksByVersion).flatMap(([version, states]) =>
    Object.entries(states).flatMap(([state, count]) => Array.from({ length: count }, () => ({ version, state }))),
  );
  return { ...counts, tasks: tasks.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
}
