import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { bundleOf } from '../../../domain/bundle.ts';
import { laneSchema, type ReleaseSummary, releaseListSchema } from '../../../domain/schemas/api.ts';
import { planSchema, releaseSchema } from '../../../domain/schemas/release.ts';
import { until } from '../../../local/platform/until.ts';
import { laneWorkflowId, releaseWorkflowId, TASK_QUEUE, WorkflowType } from '../../../workflows/contract.ts';
import { releaseCalls } from './release-calls.ts';
import { rig, runApi, TOKENS } from './rig.ts';

jest.setTimeout(120_000);

runApi();

const { call, ended, startRelease } = releaseCalls(() => rig);

describe('reading', () => {
  it('tells of a release that was ended from outside', async () => {
    const { key, path } = await startRelease();
    await rig.client.workflow.getHandle(`release/sample/${key}`).terminate('by hand');
    const answer = await call('GET', path);
    expect(answer).toMatchObject({ status: 200 });
    const view = releaseSchema.parse(answer.body);
    expect(view.outcome).toBe('failed');
    expect(view.wait).toBeUndefined();
    expect(view.failure?.message).toContain('terminated');
  });

  it('lists by service, outcome and stage, those that run first', async () => {
    const quick = await startRelease('quick');
    const waiting = await startRelease();
    await ended(quick.path);
    const list = async (query: string) => releaseListSchema.parse((await call('GET', `/v1/releases?${query}`)).body);
    const keys = ({ releases }: { releases: ReleaseSummary[] }) => releases.map(({ key }) => key);
    // The search index follows the workflows by about a second.
    const deadline = performance.now() + 45_000;
    for (;;) {
      const released = keys(await list('service=sample&outcome=released'));
      const running = keys(await list('outcome=running&stage=approve-prod'));
      if (released.includes(quick.key) && running.includes(waiting.key)) {
        expect(released).not.toContain(waiting.key);
        expect(running).not.toContain(quick.key);
        break;
      }
      if (performance.now() > deadline) throw new Error('the list does not know the releases after 45 s');
      await sleep(200);
    }
    expect(keys(await list('service=other'))).toEqual([]);
    const all = await list('service=sample&limit=200');
    const ends = all.releases.map(({ endedAt }) => (endedAt === undefined ? Infinity : Date.parse(endedAt)));
    expect(ends).toEqual([...ends].sort((a, b) => b - a));
    expect(all.more).toBe(false);
    const first = await list('service=sample&limit=1');
    expect(first.releases).toHaveLength(1);
    expect(first.more).toBe(true);
    expect((await call('GET', `/v1/releases?service=x'%20OR%201=1`)).status).toBe(400);
  });

  it('shows the plan of an order and runs nothing', async () => {
    const { status, body } = await call('POST', '/v1/plans', {
      body: { service: 'sample', ref: 'main', configVersion: 4 },
    });
    expect(status).toBe(200);
    expect(planSchema.parse(body).configVersion).toBe(4);
    const invalid = await call('POST', '/v1/plans', { body: { service: 'sample', ref: 'invalid' } });
    expect(invalid).toMatchObject({
      status: 422,
      body: { code: 'ManifestInvalid', errors: [{ path: 'run.cpus' }, { path: 'release.canary[1].weight' }] },
    });
  });

  it('shows in a plan where a bundle that was built before is vetoed, and why', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const bundle = bundleOf({
      ...{ service: 'sample', version: '1.1.0', commit: 'abc', image: { repository: 'sample', digest } },
      ...{ testImages: {}, configVersion: 0, manifestDigest: digest },
    });
    const { status, body } = await call('POST', '/v1/plans', { body: { service: 'sample', bundle } });
    expect(status).toBe(200);
    expect(planSchema.parse(body).vetoes).toEqual([
      {
        environment: 'prod',
        veto: expect.objectContaining({ bundle: bundle.id, reason: 'errors of 9 %' }),
        sentence: expect.stringMatching(/^1\.1\.0 \(b-[0-9a-f]+\) was taken back from prod by .*; lift the veto or/),
      },
    ]);
  });

  it('shows in a plan what is frozen on the way', async () => {
    const { body } = await call('POST', '/v1/plans', { body: { service: 'sample', ref: 'frozen' } });
    expect(planSchema.parse(body).freezes).toEqual([
      {
        freeze: { id: 'f1', scope: {}, by: 'bob', reason: 'audit', at: '2026-01-02T03:04:05.678Z' },
        sentence: 'everything is frozen by bob: audit (f1)',
      },
    ]);
  });

  it('shows lanes without the variables of their revisions; empty before the first release', async () => {
    await rig.client.workflow.start(WorkflowType.Lane, {
      workflowId: laneWorkflowId('prod', 'sample'),
      taskQueue: TASK_QUEUE,
      args: [{ environment: 'prod', service: 'sample' }],
    });
    const { body } = await call('GET', '/v1/lanes/prod/sample');
    expect(laneSchema.parse(body)).toMatchObject({
      state: { lastRevision: 7, current: { revision: 'r7', instances: 2 } },
      queue: ['release/sample/k2'],
    });
    expect(JSON.stringify(body)).not.toContain('secret-of-the-service');
    const empty = await call('GET', '/v1/lanes/fat/sample');
    expect(empty.text).toEqual({ state: { environment: 'fat', service: 'sample', lastRevision: 0 }, queue: [] });
    const all = await call('GET', '/v1/lanes?service=sample');
    expect(all.body.lanes.map(({ state }) => state.environment)).toEqual(['fat', 'prod']);
    expect((await call('GET', '/v1/lanes/prod/unknown')).body.code).toBe('UnknownService');
    expect((await call('GET', '/v1/lanes/nowhere/sample')).body.code).toBe('UnknownEnvironment');
  });

  it('answers what a release does though a worker has died with its next task', async () => {
    const { key, path } = await startRelease();
    const workflowId = releaseWorkflowId('sample', key);
    let answer: ReturnType<typeof call> | undefined;
    await rig.withoutWorker(async () => {
      await rig.client.workflow.getHandle(workflowId).signal('anything');
      // Temporal waits for this task until its time is up, since nobody tells that whoever took it is dead.
      const taken = await rig.client.withDeadline(Date.now() + 60_000, () =>
        rig.client.workflowService.pollWorkflowTaskQueue({
          namespace: rig.client.options.namespace,
          taskQueue: { name: TASK_QUEUE },
          identity: 'dies',
        }),
      );
      expect(taken.workflowExecution?.workflowId).toBe(workflowId);
      answer = call('GET', path);
    });
    await expect(answer).resolves.toMatchObject({ status: 200, body: { wait: { reason: 'approval' } } });
  });

  it('is alive and ready', async () => {
    expect((await call('GET', '/healthz', { as: 'nobody' })).text).toEqual({ status: 'ok' });
    expect((await call('GET', '/readyz', { as: 'nobody' })).text).toEqual({ status: 'ok' });
  });

  it('logs each request once, with what it is about and no token', async () => {
    const { key } = await startRelease();
    await until(
      'the order to be logged',
      () => {
        const line = rig.logs.find(
          (log) => log['release'] === undefined && log['service'] === 'sample' && log['path'] === '/v1/releases',
        );
        expect(line).toMatchObject({ method: 'POST', status: expect.any(Number), actor: 'ann' });
      },
      { withinMs: 30_000 },
    );
    await call('GET', `/v1/releases/sample/${key}`, { headers: { 'x-request-id': 'my-request-1' } });
    const ofMine = () => rig.logs.filter((log) => log['reqId'] === 'my-request-1');
    // It is logged when the answer is sent, which may have come by then.
    await until('the request to be logged', () => expect(ofMine().length).toBeGreaterThan(0), { withinMs: 30_000 });
    const mine = ofMine();
    expect(mine).toHaveLength(1);
    expect(mine[0]).toMatchObject({ release: `release/sample/${key}`, service: 'sample', status: 200 });
    expect(JSON.stringify(rig.logs)).not.toContain('token-of-');
  });
});

describe('the event stream', () => {
  async function* events(path: string, signal: AbortSignal, headers: Record<string, string> = {}) {
    const response = await fetch(`${rig.url}${path}/events`, {
      headers: { authorization: `Bearer ${TOKENS.ann}`, ...headers },
      signal,
    });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const received: EventSourceMessage[] = [];
    const parser = createParser({ onEvent: (event) => received.push(event) });
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* received.splice(0);
    }
  }

  it('gives the state at once, each change, and the end, with numbers that go on', async () => {
    const { path } = await startRelease();
    const seen: EventSourceMessage[] = [];
    for await (const event of events(path, AbortSignal.timeout(60_000), { 'last-event-id': '41' })) {
      seen.push(event);
      if (seen.length === 1) await call('POST', `${path}/abort`, { body: { reason: 'seen enough' } });
    }
    expect(seen.map(({ event, id }) => `${id} ${event}`)).toEqual(['42 release', '43 end']);
    expect(releaseSchema.parse(JSON.parse(seen[0]?.data ?? '')).wait?.reason).toBe('approval');
    expect(releaseSchema.parse(JSON.parse(seen[1]?.data ?? '')).outcome).toBe('aborted');
  });

  it('is a problem document for a release that is not there', async () => {
    expect(await call('GET', '/v1/releases/sample/none/events')).toMatchObject({
      status: 404,
      body: { code: 'UnknownRelease' },
    });
  });
});
