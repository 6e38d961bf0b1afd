/**
 * What the demo's user sees, in figures: how long it takes, how many of the requests that came in the whole time got no
 * answer, how fast the bad version was off the traffic, and how long the histories of its releases are.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDemo } from '../local/demo/run-demo.ts';
import { timeline } from '../local/demo/timeline.ts';
import { atMost, type Figure, observed } from './runner/figure.ts';

/** Seconds, once everything is installed. */
const DEMO_BAR = 240;
/** Milliseconds from the verdict to all traffic verified on warm capacity. */
const TRAFFIC_BAR = 1000;
/** Events of one release. */
const HISTORY_BAR = 400;

export default async function demo(): Promise<readonly Figure[]> {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const started = performance.now();
  try {
    const report = await runDemo({ dir, timeline: timeline(process.stdout, () => [], Date.now()) });
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const { traffic, rollback, gc, historyEvents, expectations } = report;
    return [
      atMost('the whole demo, set-up excluded', seconds, 's', DEMO_BAR),
      atMost('expectations not held', expectations.filter(({ held }) => !held).length, '', 0),
      observed('requests through the balancer', traffic.requests, ''),
      atMost('requests without an answer of the service', traffic.failed, '', 0),
      atMost('bad canary: verdict to all traffic verified back', rollback.decisionToTrafficMs, 'ms', TRAFFIC_BAR),
      observed('bad canary: verdict to everything restored', rollback.decisionToDoneMs, 'ms'),
      observed('garbage collection: storage won', gc.bytesReclaimed, 'bytes'),
      atMost('events in the longest history of a release', Math.max(...Object.values(historyEvents)), '', HISTORY_BAR),
    ];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
