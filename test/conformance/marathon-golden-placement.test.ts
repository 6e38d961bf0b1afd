import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import { until } from '../integration/mesos-until.ts';
import { ask } from './marathon/asking.ts';
import { AGENTS, playGolden } from './marathon/golden-play.ts';
import { goldenNamed } from './marathon/golden-record.ts';
import { Replay } from './marathon/replay.ts';
import { type Stage, startStage } from './marathon/stage.ts';

/** Where a real Marathon 1.11.26 placed instances by each operator of constraints, and why it did not place more. */

jest.setTimeout(60_000);

const reject = z.object({ reason: z.string(), declined: z.number(), processed: z.number() });
const placedShape = z.array(
  z.object({
    app: z.string(),
    constraints: z.array(z.array(z.string())),
    instances: z.number(),
    tasksPerHost: z.record(z.string(), z.number()),
    queue: z.array(z.object({ count: z.number(), rejectSummaryLastOffers: z.array(reject) })),
  }),
);
const tasksShape = z.object({ tasks: z.array(z.object({ host: z.string(), state: z.string() })) });
const queueShape = z.object({
  queue: z.array(
    z.object({
      app: z.object({ id: z.string() }),
      count: z.number(),
      processedOffersSummary: z.object({ rejectSummaryLastOffers: z.array(reject) }),
    }),
  ),
});

const record = goldenNamed('constraints');
const placed = placedShape.parse(record['placed']);

/** What an agent has of a constraint's field. */
function valueOn(host: string, field: string): string {
  if (field === 'hostname' || field === '@hostname') return host;
  const attributes = AGENTS.find(({ name }) => name === host)?.attributes.split(';') ?? [];
  return attributes.find((attribute) => attribute.startsWith(`${field}:`)) ?? '';
}

/** How many instances there are for each value of a field, whichever value that is: more is not determined. */
function shares(tasksPerHost: Readonly<Record<string, number>>, field: string): readonly number[] {
  const counts = new Map<string, number>();
  for (const [host, count] of Object.entries(tasksPerHost)) {
    const value = valueOn(host, field);
    counts.set(value, (counts.get(value) ?? 0) + count);
  }
  return [...counts.values()].toSorted();
}

/** By LIKE and UNLIKE any agent that fits is as good as another: only the total is determined. */
function determined(constraints: readonly (readonly string[])[], tasksPerHost: Readonly<Record<string, number>>) {
  return constraints.map(([field = '', operator]) =>
    operator === 'LIKE' || operator === 'UNLIKE'
      ? Object.values(tasksPerHost).reduce((sum, count) => sum + count, 0)
      : shares(tasksPerHost, field),
  );
}

describe('constraints', () => {
  let stage: Stage;
  let replay: Replay;

  beforeAll(async () => {
    stage = await startStage({ agents: AGENTS, marathon: { profile: '1.11' } });
    replay = await Replay.on(stage, record);
  });

  afterAll(async () => {
    replay?.stop();
    await stage?.stop();
  });

  const steps = record.steps.filter(({ request }) => request?.method === 'POST');

  it.each(placed.map((wanted, index) => ({ ...wanted, step: steps[index] })))(
    'are obeyed as recorded: $app $constraints',
    async ({ app, constraints, instances, tasksPerHost, queue, step }) => {
      if (!step) throw new Error(`there is no request for ${app}`);
      const created = await replay.play(step);
      expect(created.got).toEqual(created.wanted);
      const path = `/v2/apps/c/${app}/tasks`;
      const left = queue[0]?.count ?? 0;
      const { tasks, waiting } = await until(`${instances - left} of ${app} are placed`, 20_000, async () => {
        const answers = await Promise.all(
          [path, '/v2/queue'].map((each) => ask(stage.url, { method: 'GET', path: each })),
        );
        const [own, all] = [tasksShape.parse(answers[0]?.body).tasks, queueShape.parse(answers[1]?.body).queue];
        const item = all.find((each) => each.app.id === `/c/${app}`);
        const looked = item?.processedOffersSummary.rejectSummaryLastOffers[1]?.declined ?? 0;
        // The others are known not to fit once every agent's offer was looked at.
        const enough = left === 0 || looked === AGENTS.length;
        if (own.length !== instances - left || own.some(({ state }) => state !== 'TASK_RUNNING') || !enough) return;
        return { tasks: own, waiting: item };
      });
      const hosts = Map.groupBy(tasks, ({ host }) => host);
      const counts = Object.fromEntries([...hosts].map(([host, on]) => [host, on.length]));
      expect(determined(constraints, counts)).toEqual(determined(constraints, tasksPerHost));
      expect(waiting?.count ?? 0).toBe(left);
      if (left > 0) {
        const lines = waiting?.processedOffersSummary.rejectSummaryLastOffers ?? [];
        expect(lines.map(({ reason }) => reason)).toEqual(
          queue[0]?.rejectSummaryLastOffers.map(({ reason }) => reason),
        );
        expect(lines.filter(({ declined }) => declined > 0).map(({ reason }) => reason)).toEqual([
          'UnfulfilledConstraint',
        ]);
      }
      await ask(stage.url, { method: 'DELETE', path: `/v2/apps/c/${app}` });
      await until(`${app} is gone`, 20_000, async () => {
        const { body } = await ask(stage.url, { method: 'GET', path: '/v2/deployments' });
        return Array.isArray(body) && body.length === 0;
      });
    },
  );
});

playGolden('constraints-group-by-without-value');
