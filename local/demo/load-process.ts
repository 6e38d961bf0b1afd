/** The process behind `load.ts`: sends requests at an even rate and counts what comes back. */
import { Agent, request } from 'node:http';
import type { LoadAnswer, LoadCommand, LoadTarget, RevisionTraffic } from './load.ts';

/** An answer later than this counts as failed. */
const TIMEOUT_MS = 20_000;
/** Every so many requests one on a connection of its own, as new clients come. */
const FRESH_EVERY = 10;
const KEPT_FAILURES = 20;
const TICK_MS = 20;

/** The balancer closes idle connections after 10 s; one that is used in that very moment is reset. */
const IDLE_MS = 5_000;

const target: LoadTarget = JSON.parse(process.argv[2] ?? '{}');
const newPool = () => new Agent({ keepAlive: true, maxSockets: 32, timeout: IDLE_MS });
let pool = newPool();
const byRevision = new Map<string, { requests: number; own500: number; lastSentAt: number }>();
const failures: string[] = [];
let rate = 0;
let requests = 0;
let failed = 0;
let inFlight = 0;
const whenIdle: (() => void)[] = [];

function send(): void {
  requests++;
  inFlight++;
  const sentAt = Date.now();
  const agent = requests % FRESH_EVERY === 0 ? new Agent({ keepAlive: false }) : pool;
  let settled = false;
  const settle = (failure?: string) => {
    if (settled) return;
    settled = true;
    inFlight--;
    if (failure !== undefined) {
      failed++;
      if (failures.length < KEPT_FAILURES) failures.push(`${new Date().toISOString()} ${failure}`);
    }
    if (inFlight === 0) for (const resolve of whenIdle.splice(0)) resolve();
  };
  const asked = request(
    { host: target.address, port: target.port, path: '/', agent, headers: { host: target.host }, timeout: TIMEOUT_MS },
    (answer) => {
      const revision = String(answer.headers['x-slipway-revision'] ?? '');
      answer.resume();
      answer.on('error', (error) => settle(`answer of ${revision}: ${error.message}`));
      answer.on('end', () => {
        const status = answer.statusCode ?? 0;
        // The balancer's own errors name no revision; a service answers 200, and a broken one 500.
        const own500 = status === 500 && revision !== '';
        if (status !== 200 && !own500) {
          settle(`status ${status} of ${revision === '' ? 'the balancer' : revision}`);
          return;
        }
        const counted = byRevision.get(revision) ?? { requests: 0, own500: 0, lastSentAt: 0 };
        counted.requests++;
        if (own500) counted.own500++;
        counted.lastSentAt = Math.max(counted.lastSentAt, sentAt);
        byRevision.set(revision, counted);
        settle();
      });
    },
  );
  asked.on('timeout', () => asked.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
  asked.on('error', (error) => settle(error.message));
  asked.end();
}

let due = 0;
let last = performance.now();
const ticking = setInterval(() => {
  const now = performance.now();
  due += ((now - last) / 1000) * rate;
  // Stalled as long, it knows of no connection whether the balancer has closed it meanwhile.
  if (now - last > IDLE_MS) pool = newPool();
  last = now;
  for (; due >= 1; due--) send();
}, TICK_MS);

async function traffic(): Promise<LoadAnswer['traffic']> {
  // A report while the rate is 0 is the last one: it waits for what is still on its way.
  if (rate === 0 && inFlight > 0) await new Promise<void>((resolve) => whenIdle.push(resolve));
  const seen: Record<string, RevisionTraffic> = Object.fromEntries(byRevision);
  return { requests, failed, failures, byRevision: seen };
}

process.on('message', async (command: LoadCommand) => {
  if ('rate' in command) rate = command.rate;
  if ('report' in command) {
    const answer: LoadAnswer = { report: command.report, traffic: await traffic() };
    process.send?.(answer);
  }
  if ('end' in command) {
    clearInterval(ticking);
    pool.destroy();
    process.disconnect();
  }
});
process.on('disconnect', () => process.exit());
