/**
 * How soon everything stops: from a freeze, or an abort, to the last forward effect that a release begins, with as many
 * releases under way as a busy company has. Their activities are over at once, so only the engine takes time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { WorkflowClient } from '@temporalio/client';
import type { Manifest } from '../domain/manifest.ts';
import { MANIFEST } from '../test/workflows/world.ts';
import {
  abortUpdate,
  FREEZES_WORKFLOW_ID,
  freezeUpdate,
  releaseWorkflowId,
  unfreezeUpdate,
} from '../workflows/contract.ts';
import { quantile } from './cell/quantile.ts';
import { instantActivities, release, startRelease } from './release/instant-world.ts';
import { startOwnServer } from './release/own-server.ts';
import { atLeast, atMost, type Figure, observed } from './runner/figure.ts';

const LIVE = 200;
const ROUNDS = 5;
/** So long nothing may begin before it is taken for stopped, and so long it runs before it is stopped again. */
const WATCH_MS = 4_000;
/** A release moves traffic this often: together some thirty effects a second. */
const HOLD_SECONDS = 20;
const BAR_MS = 1_000;

/** Shifts and holds for some minutes. */
const LONG: Manifest = {
  ...MANIFEST,
  release: {
    ...MANIFEST.release,
    canary: Array.from({ length: 30 }, (_, index) => [
      { kind: 'weight', weight: index + 1 } as const,
      { kind: 'hold', seconds: HOLD_SECONDS } as const,
    ]).flat(),
    bakeSeconds: 0.01,
    approvals: { count: 0, expiresSeconds: 3600 },
  },
};

/** Activities that change the world. */
const EFFECTS: ReadonlySet<string> = new Set([
  'ensureRevision',
  'scaleRevision',
  'setTraffic',
  'drainRevision',
  'deleteRevision',
  'bindName',
  'pointConfig',
  'writeScaleBounds',
  'promoteImage',
  'runTest',
]);
/** An effect of a way back is tried for a day, one of the way forward for minutes. */
const FORWARD_WITHIN_MS = 12 * 3_600_000;

interface Begun {
  readonly release: string;
  /** ms since 1970. */
  readonly at: number;
}

export default async function freezes(): Promise<readonly Figure[]> {
  const begun: Begun[] = [];
  const server = await startOwnServer((client) => watched(instantActivities(client, LONG), begun));
  try {
    const { client } = server;
    const services = Array.from({ length: LIVE }, (_, index) => `s${index}`);
    await Promise.all(services.map((service) => release(client, service, 'first')));
    await Promise.all(
      services.map(async (service, index) => {
        await sleep((index * HOLD_SECONDS * 1000) / LIVE);
        await startRelease(client, service, 'second');
      }),
    );
    const names = services.map((service) => releaseWorkflowId(service, 'second'));
    const [frozen, aborted] = [await afterFreezes(client, names, begun), await afterAborts(client, names, begun)];
    return [
      ...figuresOf('freeze', frozen.times),
      observed('freeze to the last forward effect of all, worst round', Math.round(frozen.worst), 'ms'),
      atLeast('releases under way that began an effect while nothing was frozen', frozen.alive, '', LIVE / 2),
      ...figuresOf('abort', aborted),
    ];
  } finally {
    await server.stop();
  }
}

/** For each release and round: how long after the freeze it began its last effect, ms; 0 for none. */
async function afterFreezes(client: WorkflowClient, names: readonly string[], begun: Begun[]) {
  const times: number[] = [];
  const alive = new Set<string>();
  let worst = 0;
  for (let round = 0; round < ROUNDS; round++) {
    begun.length = 0;
    await sleep(WATCH_MS);
    for (const { release } of begun) alive.add(release);
    const kept = client.getHandle(FREEZES_WORKFLOW_ID);
    const freeze = await kept.executeUpdate(freezeUpdate, { args: [{ scope: {}, by: 'ops', reason: 'a bench' }] });
    await sleep(WATCH_MS);
    const last = lastAfter(begun, Date.parse(freeze.at));
    times.push(...names.map((name) => last.get(name) ?? 0));
    worst = Math.max(worst, ...last.values());
    await kept.executeUpdate(unfreezeUpdate, { args: [{ id: freeze.id, by: 'ops', reason: 'it is measured' }] });
  }
  return { times, worst, alive: alive.size };
}

/** For each release: how long after its abort was sent it began its last effect forward, ms; 0 for none. */
async function afterAborts(client: WorkflowClient, names: readonly string[], begun: Begun[]): Promise<number[]> {
  begun.length = 0;
  const times: number[] = [];
  for (const name of names) {
    const sent = Date.now();
    await client.getHandle(name).executeUpdate(abortUpdate, { args: [{ by: 'ops', reason: 'a bench' }] });
    times.push(sent);
  }
  await sleep(WATCH_MS);
  return names.map((name, index) => lastAfter(begun, times[index] ?? 0).get(name) ?? 0);
}

function lastAfter(begun: readonly Begun[], since: number): Map<string, number> {
  const last = new Map<string, number>();
  for (const { release, at } of begun) {
    if (at > since) last.set(release, Math.max(last.get(release) ?? 0, at - since));
  }
  return last;
}

function figuresOf(word: string, times: readonly number[]): Figure[] {
  return [
    observed(`${word} to the last forward effect of a release, p50`, Math.round(quantile(times, 0.5)), 'ms'),
    atMost(`${word} to the last forward effect of a release, p99`, Math.round(quantile(times, 0.99)), 'ms', BAR_MS),
  ];
}

/** The activities, each telling when it begins an effect of the way forward. */
function watched(activities: object, begun: Begun[]): object {
  return Object.fromEntries(
    Object.entries(activities as Readonly<Record<string, (input: unknown) => Promise<unknown>>>).map(
      ([name, activity]) => [
        name,
        (input: unknown) => {
          const { scheduleToCloseTimeoutMs, workflowExecution } = Context.current().info;
          if (EFFECTS.has(name) && scheduleToCloseTimeoutMs < FORWARD_WITHIN_MS) {
            begun.push({ release: workflowExecution?.workflowId ?? '', at: Date.now() });
          }
          return activity(input);
        },
      ],
    ),
  );
}
