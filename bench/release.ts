/**
 * What the engine itself costs: a release of twenty steps whose activities are over at once, against a workflow that
 * calls as many activities and does nothing else, on the same server and worker, turn by turn. The release calls many of
 * its activities as local ones, which spares its history; the other workflow calls all as ordinary ones. What it costs
 * to call only as many as the release has in its history is shown beside it.
 */
import type { WorkflowClient } from '@temporalio/client';
import { releaseWorkflowId, TASK_QUEUE } from '../workflows/contract.ts';
import { quantile } from './cell/quantile.ts';
import { instantActivities, release } from './release/instant-world.ts';
import { startOwnServer } from './release/own-server.ts';
import { atLeast, atMost, type Figure, observed } from './runner/figure.ts';

const STEPS = 20;
const ROUNDS = 20;
const AT_ONCE = 200;
/** Name of the marker that the SDK leaves in a history for a local activity. */
const LOCAL_ACTIVITY = 'core_local_activity';
/** Time of a release over that of a bare workflow. */
const OVERHEAD_BAR = 1.3;
const EVENTS_BAR = 400;
/** Releases a second over bare workflows a second. */
const THROUGHPUT_BAR = 0.7;

export default async function releases(): Promise<readonly Figure[]> {
  const server = await startOwnServer(instantActivities);
  try {
    return [...(await oneAtATime(server.client)), ...(await allAtOnce(server.client))];
  } finally {
    await server.stop();
  }
}

let bareRuns = 0;

async function bare(client: WorkflowClient, calls: number): Promise<void> {
  const workflowId = `bare/${++bareRuns}`;
  await client.execute<(calls: number) => Promise<void>>('bare', { taskQueue: TASK_QUEUE, workflowId, args: [calls] });
}

async function oneAtATime(client: WorkflowClient): Promise<Figure[]> {
  // The first release of a service has nothing to compare with, and so fewer steps.
  await released(client, 'one', 'first');
  const { events, local, ordinary, steps } = await released(client, 'one', 'second');
  const times = { release: [] as number[], bare: [] as number[], ordinary: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.release.push(await timed(() => release(client, 'one', `round-${round}`)));
    times.bare.push(await timed(() => bare(client, ordinary + local)));
    times.ordinary.push(await timed(() => bare(client, ordinary)));
  }
  const [ofRelease, ofBare] = [quantile(times.release, 0.5), quantile(times.bare, 0.5)];
  const ofOrdinary = quantile(times.ordinary, 0.5);
  return [
    atLeast('steps of the release', steps, '', STEPS),
    observed('activities of the release: ordinary', ordinary, ''),
    observed('activities of the release: local', local, ''),
    atMost('events in its history', events, '', EVENTS_BAR),
    observed('release, median', round(ofRelease), 'ms'),
    observed('bare workflow with as many activities, median', round(ofBare), 'ms'),
    atMost('time of a release over that of the bare workflow', round(ofRelease / ofBare), '', OVERHEAD_BAR),
    observed('the same over one with the ordinary activities only', round(ofRelease / ofOrdinary), ''),
  ];
}

async function allAtOnce(client: WorkflowClient): Promise<Figure[]> {
  const services = Array.from({ length: AT_ONCE }, (_, index) => `s${index}`);
  await Promise.all(services.map((service) => release(client, service, 'first')));
  const { local, ordinary } = await released(client, 'one', 'counted');
  const ofBare = await timed(() => Promise.all(services.map(() => bare(client, ordinary + local))));
  const ofRelease = await timed(() => Promise.all(services.map((service) => release(client, service, 'second'))));
  return [
    observed(`${AT_ONCE} releases at once`, round((1000 * AT_ONCE) / ofRelease), '1/s'),
    observed(`${AT_ONCE} bare workflows at once`, round((1000 * AT_ONCE) / ofBare), '1/s'),
    atLeast('throughput of releases over that of bare workflows', round(ofBare / ofRelease), '', THROUGHPUT_BAR),
  ];
}

/** Runs a release to its good end and counts what it took. */
async function released(client: WorkflowClient, service: string, key: string) {
  const { outcome, view } = await release(client, service, key);
  if (outcome !== 'released') throw new Error(`${service}/${key} is ${outcome}: ${JSON.stringify(view.failure)}`);
  const { events } = await client.getHandle(releaseWorkflowId(service, key)).fetchHistory();
  const history = events ?? [];
  return {
    steps: view.steps.length,
    events: history.length,
    ordinary: history.filter((event) => event.activityTaskScheduledEventAttributes).length,
    local: history.filter((event) => event.markerRecordedEventAttributes?.markerName === LOCAL_ACTIVITY).length,
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

const round = (value: number) => Number(value.toFixed(2));
