/**
 * What the cell can carry. Large: a thousand apps with three tasks each that run nothing, then how fast the call is
 * that every load balancer polls, how much memory that takes, whether fifty listeners get every event, and what it
 * costs when nothing happens. Small: how long a Docker container takes from the order to its start.
 */

import { dockerStarts } from './cell/docker-starts.ts';
import { eventStreams } from './cell/event-streams.ts';
import { loadedCell } from './cell/loaded-cell.ts';
import { quantile } from './cell/quantile.ts';
import { atLeast, atMost, type Figure, observed } from './runner/figure.ts';

const READS = 200;
const IDLE_SECONDS = 30;
const LISTENERS = 50;
/** Events a second and listener, and for how long. */
const EVENT_RATE = 500;
const EVENT_SECONDS = 20;
const STARTS = 40;

/** Milliseconds. */
const READ_BAR = 300;
const START_BAR = 1000;
/** MiB. */
const MEMORY_BAR = 400;
/** Percent of one core. */
const IDLE_BAR = 1;

export default async function cell(): Promise<readonly Figure[]> {
  const loaded = await loadedCell();
  const figures: Figure[] = [];
  try {
    const { apps, tasks, loadSeconds } = loaded;
    figures.push(
      observed('apps', apps, ''),
      observed('tasks that run', tasks, ''),
      observed('from the first order to the last task', loadSeconds, 's'),
    );
    const reads = await loaded.readAll(READS);
    figures.push(
      atMost('GET /v2/apps?embed=apps.tasks, p95', Math.round(quantile(reads, 0.95)), 'ms', READ_BAR),
      observed('GET /v2/apps?embed=apps.tasks, p50', Math.round(quantile(reads, 0.5)), 'ms'),
    );
    const streams = await eventStreams(loaded, { listeners: LISTENERS, rate: EVENT_RATE, seconds: EVENT_SECONDS });
    figures.push(
      atLeast('events a second to each listener', streams.rate, '1/s', EVENT_RATE),
      observed('events to each listener', streams.events, ''),
      atMost('events that a listener missed, all listeners', streams.missed, '', 0),
    );
    figures.push(atMost('memory of the cell, Mesos and Marathon', loaded.memoryMib(), 'MiB', MEMORY_BAR));
    figures.push(atMost('processor when idle', await loaded.idlePercent(IDLE_SECONDS), '% of a core', IDLE_BAR));
  } finally {
    await loaded.stop();
  }
  const starts = await dockerStarts(STARTS);
  figures.push(
    atMost('order to running container, p95', Math.round(quantile(starts, 0.95)), 'ms', START_BAR),
    observed('order to running container, p50', Math.round(quantile(starts, 0.5)), 'ms'),
  );
  return figures;
}
