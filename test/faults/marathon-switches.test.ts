/** What the production clients make of a Marathon that fails, by the fault switches of the cell. */
import { describe, expect, it, jest } from '@jest/globals';
import { MarathonClient } from '../../activities/marathon/client.ts';
import { marathonEvents } from '../../activities/marathon/events.ts';
import type { MarathonEvent } from '../../activities/marathon/types.ts';
import type { SwitchesInput } from '../../cell/faults/switches.ts';
import { type RevisionApp, revisionApp } from '../../domain/revision-app.ts';
import { SLEEP, settled, taskIds } from '../integration/marathon-rig.ts';
import { until } from '../integration/mesos-until.ts';
import { type CellRig, run, useCellRig } from './cell-rig.ts';

jest.setTimeout(120_000);

let rig: CellRig;

useCellRig((started) => {
  rig = started;
});

const appId = '/prod/web/r1';
/** A timer and the time of day may differ by as much. */
const CLOCKS_DIFFER_MS = 50;

/** A revision that runs a command and no image: this cell has no Docker engine. */
function revision(): RevisionApp {
  const {
    container: _image,
    healthChecks: _checks,
    ...app
  } = revisionApp({
    environment: 'prod',
    service: 'web',
    revision: 'r1',
    bundle: 'b-1',
    image: 'unused',
    env: {},
    cpus: 0.1,
    memoryMiB: 16,
    healthPath: '/',
    startSeconds: 20,
    instances: 0,
    command: SLEEP.cmd,
    stopSeconds: 1,
  });
  return { ...app, healthChecks: [] } as unknown as RevisionApp;
}

const scale = (instances: number) => ({
  environment: 'prod',
  appId,
  instances,
  waitHealthy: true,
  deadlineSeconds: 60,
});

/** Creates, scales up and down, and deletes, with as many processes as instances at each step. */
async function wholeWay(): Promise<void> {
  await run(rig.activities.ensureRevision, { environment: 'prod', app: revision() });
  expect((await run(rig.activities.scaleRevision, scale(3))).tasks).toHaveLength(3);
  expect(rig.alive()).toBe(3);
  expect((await run(rig.activities.scaleRevision, scale(1))).tasks).toHaveLength(1);
  await until('one process is left', 30_000, () => rig.alive() === 1);
  await run(rig.activities.deleteRevision, { environment: 'prod', appId });
  expect(await rig.client.getApp(appId)).toBeUndefined();
  await until('no process is left', 30_000, () => rig.alive() === 0);
}

const hits = async () => (await rig.faults.get()).seen.routes.map((tally) => tally.hits);

describe('requests that fail', () => {
  const changes = ['POST', 'PUT', 'DELETE'] as const;
  type Route = NonNullable<SwitchesInput['routes']>[number];
  const onEachChange = (fault: Route) =>
    changes.map((method): Route => ({ of: 'marathon', method, path: '^/v2/apps', ...fault, times: fault.times ?? 1 }));

  it.each<[string, Route]>([
    ['a 503 although it was done', { kind: '503-after-apply' }],
    ['a connection that breaks although it was done', { kind: 'drop-after-apply' }],
  ])('are read back and not done twice: %s', async (_, fault) => {
    await rig.faults.set({ routes: onEachChange(fault) });
    const { events, stop } = await record();
    await wholeWay();
    // The stream is not the connection on which the answers came.
    await until('the deletion is told', 30_000, () =>
      events.some(({ eventType }) => eventType === 'app_terminated_event'),
    );
    await stop();
    expect(await hits()).toEqual([1, 1, 1]);
    // Of each kind of change just one: what was done was not asked for again.
    const started = events.filter(({ eventType }) => eventType === 'status_update_event');
    const running = started.filter((event) => 'taskStatus' in event && event.taskStatus === 'TASK_RUNNING');
    expect(running).toHaveLength(3);
  });

  it.each<[string, Route]>([
    ['a 503', { kind: '503-before' }],
    ['a broken connection', { kind: 'drop' }],
    ['no answer in time', { kind: 'hang' }],
    ['an answer after the client has gone', { kind: 'delay', delayMs: 1_500 }],
  ])('are made again until they are done: %s', async (_, fault) => {
    await run(rig.activities.ensureRevision, { environment: 'prod', app: revision() });
    await rig.faults.set({ routes: [{ of: 'marathon', method: 'PUT', path: '^/v2/apps', times: 2, ...fault }] });
    expect((await run(rig.impatient.scaleRevision, scale(2))).tasks).toHaveLength(2);
    expect(await hits()).toEqual([2]);
    expect(rig.alive()).toBe(2);
  });

  it('hit by chance do no harm, whichever they are', async () => {
    const broken = { of: 'marathon', path: '^/v2', probability: 0.25 } as const;
    await rig.faults.set({
      seed: 11,
      routes: [
        { ...broken, kind: '503-before', method: 'GET' },
        { ...broken, kind: '503-after-apply', method: 'PUT' },
      ],
    });
    await run(rig.activities.ensureRevision, { environment: 'prod', app: revision() }).catch(() => undefined);
    await until('it is made', 40_000, () =>
      run(rig.activities.ensureRevision, { environment: 'prod', app: revision() }).then(Boolean, () => false),
    );
    for (const instances of [2, 4, 1]) {
      expect((await run(rig.activities.scaleRevision, scale(instances))).tasks).toHaveLength(instances);
      await until('so many processes', 30_000, () => rig.alive() === instances);
    }
    expect((await hits())[0]).toBeGreaterThan(0);
  });
});

describe('events', () => {
  it('are lost, told twice or late, by type', async () => {
    const delayMs = 3_000;
    await rig.faults.set({
      events: [
        { kind: 'lose', types: ['group_change_success'] },
        { kind: 'duplicate', types: ['api_post_event'] },
        { kind: 'delay', types: ['deployment_info'], delayMs, times: 1 },
      ],
    });
    const { events, heardAt, stop } = await record();
    const types = () => events.map(({ eventType }) => eventType);
    await rig.client.createApp({ id: '/prod/e', instances: 1, ...SLEEP });
    await until('the late event', 30_000, () => types().filter((type) => type === 'deployment_info').length === 2);
    await settled(rig.client, '/prod/e', 1);
    expect(types()).not.toContain('group_change_success');
    expect(types().filter((type) => type === 'api_post_event')).toHaveLength(2);
    // Just the first one, which tells of the first step. Whether others overtake it is a matter of their haste.
    const [early, late] = events
      .filter(({ eventType }) => eventType === 'deployment_info')
      .toSorted((one, other) => Date.parse(other.timestamp) - Date.parse(one.timestamp));
    expect([early, late]).toMatchObject([
      { currentStep: { actions: [{ action: 'ScaleApplication', app: '/prod/e' }] } },
      { currentStep: { actions: [{ action: 'StartApplication', app: '/prod/e' }] } },
    ]);
    if (late === undefined) throw new Error('it was not told');
    expect((heardAt.get(late) ?? 0) - Date.parse(late.timestamp)).toBeGreaterThanOrEqual(delayMs - CLOCKS_DIFFER_MS);
    await stop();
  });

  it('that fall silent are noticed, since not even the keep-alive comes', async () => {
    const { events, ended } = await record({ silenceMs: 10_500 });
    await rig.faults.set({ eventsSilent: true });
    await rig.client.createApp({ id: '/prod/s', instances: 1, ...SLEEP });
    await settled(rig.client, '/prod/s', 1);
    expect(events.map(({ eventType }) => eventType)).toEqual(['event_stream_attached']);
    expect(await ended).toMatchObject({ type: 'SystemUnavailable', message: expect.stringContaining('no byte') });
  });
});

describe('a Marathon without a leader', () => {
  it('ends its streams and answers 502, and the next leader goes on with the deployment', async () => {
    await rig.faults.set({ offersWithheld: true });
    const { events, ended } = await record();
    const { frameworkId } = await rig.client.info();
    await rig.client.createApp({ id: '/prod/f', instances: 3, ...SLEEP });
    await rig.faults.set({ offersWithheld: true, marathon: 'away' });
    expect(await ended).toMatchObject({ type: 'SystemUnavailable' });
    expect(events.map(({ eventType }) => eventType)).toContain('deployment_info');
    const answer = await fetch(`${rig.cell.marathonUrl}/v2/apps`);
    expect(answer.status).toBe(502);
    expect(answer.headers.get('x-marathon-leader')).toBeNull();
    expect((await fetch(`${rig.cell.marathonUrl}/v2/leader`)).status).toBe(404);
    await rig.client.ping();

    await rig.faults.set({ offersWithheld: true });
    expect(await rig.client.deployments()).toHaveLength(1);
    await rig.faults.clear();
    await settled(rig.client, '/prod/f', 3);
    expect(rig.alive()).toBe(3);
    expect((await rig.client.info()).frameworkId).toBe(frameworkId);
  });

  it('is followed by another when it abdicates, in the middle of launches', async () => {
    await rig.faults.set({ tasks: [{ kind: 'slow', delayMs: 400 }] });
    await rig.client.createApp({ id: '/prod/a', instances: 4, ...SLEEP });
    await until('one runs', 30_000, async () => (await rig.running()).length > 0);
    const { ended } = await record();
    const answer = await fetch(`${rig.cell.marathonUrl}/v2/leader`, { method: 'DELETE' });
    expect(await answer.json()).toEqual({ message: 'Leadership abdicated' });
    expect(await ended).toMatchObject({ type: 'SystemUnavailable' });
    await until('another leads', 30_000, () => rig.client.leader().catch(() => undefined));
    const app = await settled(rig.client, '/prod/a', 4);
    expect(await rig.running()).toEqual(taskIds(app));
    expect(rig.alive()).toBe(4);
  });
});

describe('the switches themselves', () => {
  it('are told as they stand, with what they have seen, on Mesos and on Marathon', async () => {
    await rig.faults.set({ routes: [{ kind: '503-before', of: 'marathon', path: '^/ping', status: 500 }] });
    expect((await fetch(`${rig.cell.marathonUrl}/ping`)).status).toBe(500);
    const answer = await fetch(`${rig.cell.mesosUrl}/cell/faults`);
    expect(await answer.json()).toMatchObject({
      faults: { routes: [{ kind: '503-before', of: 'marathon', path: '^/ping', status: 500 }], master: 'leads' },
      seen: { routes: [{ matched: 1, hits: 1 }] },
    });
    await rig.faults.clear();
    await new MarathonClient({ url: rig.cell.marathonUrl }).ping();
  });

  it.each([
    ['{', 400, /JSON/],
    ['[]', 422, /object/],
    ['{"fire":true}', 422, /fire/],
    ['{"agents":{"nobody":"lost"}}', 422, /no such agent here: nobody/],
  ])('refuse %s with %s, and stay as they are', async (body, status, message) => {
    await rig.faults.set({ seed: 5 });
    const answer = await fetch(`${rig.cell.marathonUrl}/cell/faults`, { method: 'PUT', body });
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { message: string }).message).toMatch(message);
    expect((await rig.faults.get()).faults.seed).toBe(5);
  });
});

/** Writes down events until the stream ends, or is told to. */
async function record(options: { readonly silenceMs?: number } = {}) {
  const events: MarathonEvent[] = [];
  const heardAt = new Map<MarathonEvent, number>();
  const over = new AbortController();
  const attached = Promise.withResolvers<void>();
  const ended = (async () => {
    for await (const event of marathonEvents({ url: rig.cell.marathonUrl, signal: over.signal, ...options })) {
      events.push(event);
      heardAt.set(event, Date.now());
      attached.resolve();
    }
  })().catch((error: unknown) => error);
  await Promise.race([attached.promise, ended]);
  return {
    events,
    /** ms since 1970 */
    heardAt,
    ended,
    stop: async () => {
      over.abort();
      await ended;
    },
  };
}
