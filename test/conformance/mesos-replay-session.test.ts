/**
 * A long session of one framework with a real Mesos 1.11.0, played again on the embedded one, step by step: its calls,
 * every event, what operators asked and saw meanwhile. What may differ is in mesos/known-differences.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type MesosCell, startMesos } from '../../cell/mesos/start.ts';
import { until } from '../integration/mesos-until.ts';
import { openStream, type RawStream, subscribeRaw } from '../mesos-rig/raw-stream.ts';
import { Comparison, record } from './mesos/replay.ts';
import { type Entry, type RecordedEvent, SessionPlayer } from './mesos/session-player.ts';

const SESSION = record<Entry>('session');
const STREAM = record<{ readonly t: number; readonly event: RecordedEvent }>('operator-stream');

let cell: MesosCell;
let stateDir: string;
let holder: RawStream;
let operators: RawStream;
let player: SessionPlayer;
const session = new Comparison('session');
const stream = new Comparison('operator-stream');

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'slipway-session-'));
  cell = await startMesos({
    stateDir,
    stopGraceMs: 200,
    agents: [
      { name: 'localhost', attributes: 'env:fat;rack:r1;num:3.5', cpus: 4, mem: 4096, portRange: [31000, 32000] },
    ],
  });
  holder = await subscribeRaw(cell.masterUrl, { name: 'holder', hostname: 'holder-host' });
  await until('the holder holds', 30_000, () => holder.events.some(({ type }) => type === 'OFFERS'));
  const { subscribed, offers } = Object.assign({}, ...holder.events) as {
    readonly subscribed: { readonly framework_id: object };
    readonly offers: { readonly offers: readonly { readonly id: object }[] };
  };
  for (const call of [
    { type: 'SUPPRESS' },
    { type: 'DECLINE', decline: { offer_ids: offers.offers.map(({ id }) => id), filters: { refuse_seconds: 3600 } } },
  ]) {
    await fetch(`${cell.masterUrl}/api/v1/scheduler`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'Mesos-Stream-Id': String(holder.headers['mesos-stream-id']),
      },
      body: JSON.stringify({ framework_id: subscribed.framework_id, ...call }),
    });
  }
  operators = await openStream(`${cell.masterUrl}/api/v1`, { type: 'SUBSCRIBE' });
  await until('SUBSCRIBED', 30_000, () => operators.events.length > 0);
  player = new SessionPlayer(cell.masterUrl, cell.agents[0]?.id ?? '', session);
});
afterAll(async () => {
  player.close();
  holder.close();
  operators.close();
  await cell.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

describe('the recorded session', () => {
  it('goes the same way, event by event', async () => {
    for (const [index, entry] of SESSION.entries()) await player.play(entry, index);
    expect(player.unexpected).toEqual([]);
    expect(session.idle).toEqual([]);
  }, 90_000);

  it('is told to operators the same', async () => {
    const removed = () => operators.events.some(({ type }) => type === 'FRAMEWORK_REMOVED');
    await until('the framework is removed', 30_000, removed);
    const told = operators.events.filter(({ type }) => type !== 'HEARTBEAT');
    const expected = STREAM.map(({ event }) => event).filter(({ type }) => type !== 'HEARTBEAT');
    expect(told.map(({ type }) => type).sort()).toEqual(expected.map(({ type }) => type).sort());
    // Tasks are told one by one: between two of them no order is promised.
    const taskOf = (event: RecordedEvent) => /"task_id":\{"value":"([^"]+)"/.exec(JSON.stringify(event))?.[1] ?? '';
    const ofTask = (events: readonly RecordedEvent[]) =>
      [...Map.groupBy(events, taskOf)].sort(([a], [b]) => a.localeCompare(b)).flatMap(([, each]) => each);
    // The newest state that the agent knows: of a task that ends by itself it may be ahead of the status, or not.
    const timeless = (event: RecordedEvent) => {
      if (event.type !== 'TASK_UPDATED' || !/^(ok|bad)-1$/.test(taskOf(event))) return event;
      return { ...event, task_updated: { ...(event['task_updated'] as object), state: undefined } };
    };
    const [ours, recorded] = [ofTask(told).map(timeless), ofTask(expected).map(timeless)];
    for (const [index, event] of recorded.entries()) expect(stream.unknown(event, ours[index])).toEqual([]);
    expect(stream.idle).toEqual([]);
  });

  it('asked anew, the dead framework is refused on its stream', async () => {
    const id = { value: player.frameworkId };
    const again = await subscribeRaw(cell.masterUrl, { id, name: 'ci' });
    await until('the end', 30_000, () => again.ended);
    expect(again.events).toEqual(SESSION.at(-1)?.data);
  });
});
