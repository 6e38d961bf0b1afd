import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { z } from 'zod';
import { bundleOf } from '../../../domain/bundle.ts';
import { laneSchema, type ReleaseSummary, releaseListSchema } from '../../../domain/schemas/api.ts';
import { planSchema, releaseSchema } from '../../../domain/schemas/release.ts';
import { laneWorkflowId, TASK_QUEUE, WorkflowType } from '../../../workflows/contract.ts';
import { type ApiRig, startApiRig, TOKENS } from './rig.ts';

jest.setTimeout(60_000);

let rig: ApiRig;
beforeAll(async () => {
  rig = await startApiRig();
});
afterAll(async () => {
  await rig?.stop();
});

/** The fields of answers that tests look at. */
const answerSchema = z.looseObject({
  id: z.string().optional(),
  location: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
  requestedBy: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
  lanes: z.array(z.object({ state: z.object({ environment: z.string() }) })).default([]),
});

interface Call {
  readonly as?: keyof typeof TOKENS | 'nobody';
  readonly key?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

async function call(method: 'GET' | 'POST', path: string, { as = 'ann', key, body, headers = {} }: Call = {}) {
  const response = await fetch(`${rig.url}${path}`, {
    method,
    headers: {
      ...(as === 'nobody' ? {} : { authorization: `Bearer ${TOKENS[as]}` }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.json();
  return { status: response.status, headers: response.headers, text, body: answerSchema.parse(text) };
}

/** A release that waits for approval; its path under /v1. */
async function startRelease(ref = 'main'): Promise<{ key: string; path: string }> {
  const key = randomUUID();
  const { status } = await call('POST', '/v1/releases', { key, body: { service: 'sample', ref } });
  expect(status).toBe(202);
  return { key, path: `/v1/releases/sample/${key}` };
}

const planDigestOf = async (path: string) => releaseSchema.parse((await call('GET', path)).body).plan?.digest ?? '';

async function ended(path: string) {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const answer = await call('GET', path);
    expect(answer).toMatchObject({ status: 200 });
    const view = releaseSchema.parse(answer.body);
    if (view.outcome !== undefined) return view;
    if (performance.now() > deadline) throw new Error(`${path} has not ended after 20 s`);
    await sleep(100);
  }
}

describe('starting a release', () => {
  it('answers 202 with its place, and the same for the same key, starting it once', async () => {
    const key = randomUUID();
    const order = { key, body: { service: 'sample', ref: 'main' } };
    const answers = await Promise.all([1, 2, 3].map(() => call('POST', '/v1/releases', order)));
    for (const { status, headers, text } of answers) {
      expect(status).toBe(202);
      expect(headers.get('location')).toBe(`/v1/releases/sample/${key}`);
      expect(text).toEqual({ id: `release/sample/${key}`, location: `/v1/releases/sample/${key}` });
    }
    const description = await rig.client.workflow.getHandle(`release/sample/${key}`).describe();
    expect(await description.staticSummary()).toBe('sample main');
    const { body } = await call('GET', `/v1/releases/sample/${key}`);
    expect(releaseSchema.parse(body)).toMatchObject({
      requestedBy: 'ann',
      version: '1.2.3',
      wait: { reason: 'approval' },
    });
  });

  it('answers 200 with its end when it is over', async () => {
    const { key, path } = await startRelease('quick');
    await ended(path);
    const again = await call('POST', '/v1/releases', { key, body: { service: 'sample', ref: 'quick' } });
    expect(again.status).toBe(200);
    expect(releaseSchema.parse(again.body).outcome).toBe('released');
  });

  it('refuses a key that was used for another order, running or over', async () => {
    for (const ref of ['main', 'quick']) {
      const { key, path } = await startRelease(ref);
      if (ref === 'quick') await ended(path);
      const other = await call('POST', '/v1/releases', { key, body: { service: 'sample', ref: 'other' } });
      expect(other.status).toBe(422);
      expect(other.body).toMatchObject({ code: 'IdempotencyKeyReused', status: 422 });
    }
  });

  it('gives the same release to somebody else who orders the same', async () => {
    const { key } = await startRelease();
    const again = await call('POST', '/v1/releases', { as: 'bob', key, body: { service: 'sample', ref: 'main' } });
    expect(again.status).toBe(202);
    const { body } = await call('GET', `/v1/releases/sample/${key}`);
    expect(body.requestedBy).toBe('ann');
  });

  it('takes a bundle whose id is that of its content, and no other', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const bundle = bundleOf({
      service: 'sample',
      version: '1.0.0',
      commit: 'abc',
      image: { repository: 'sample', digest },
      testImages: {},
      configVersion: 3,
      manifestDigest: digest,
    });
    const good = await call('POST', '/v1/releases', { key: randomUUID(), body: { service: 'sample', bundle } });
    expect(good.status).toBe(202);
    const forged = { ...bundle, configVersion: 4 };
    const bad = await call('POST', '/v1/releases', { key: randomUUID(), body: { service: 'sample', bundle: forged } });
    expect(bad).toMatchObject({ status: 400, body: { code: 'RequestInvalid' } });
  });

  it('lists every error of an order, with its path', async () => {
    const { status, headers, body } = await call('POST', '/v1/releases', {
      key: 'k',
      body: { service: 'Sample!', until: 3, reff: 'main' },
    });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({
      code: 'RequestInvalid',
      type: 'urn:slipway:problem:RequestInvalid',
      instance: '/v1/releases',
    });
    const paths = body.errors.map((error) => error.path);
    expect(paths).toEqual(expect.arrayContaining(['service', 'until', 'ref', '']));
    expect(body.detail).toContain('reff');
  });

  it('says in plain words what is missing and what is of the wrong kind', async () => {
    const bundle = { id: 7, service: 'sample', testImages: [], configVersion: 1.5 };
    const { body } = await call('POST', '/v1/releases', { key: 'plain', body: { service: 'sample', bundle } });
    expect(Object.fromEntries(body.errors.map(({ path, message }) => [path, message]))).toEqual({
      'bundle.id': 'must be text, not the number 7',
      'bundle.version': 'is missing',
      'bundle.commit': 'is missing',
      'bundle.image': 'is missing',
      'bundle.testImages': 'must be a mapping of names to values, not a list',
      'bundle.configVersion': 'must be a whole number, not a number with a fraction',
      'bundle.manifestDigest': 'is missing',
    });
  });

  it('refuses what is not there: key, service, environment, route', async () => {
    const order = { service: 'sample', ref: 'main' };
    const codes = await Promise.all([
      call('POST', '/v1/releases', { body: order }),
      call('POST', '/v1/releases', { key: 'k', body: { ...order, service: 'unknown' } }),
      call('POST', '/v1/releases', { key: 'k', body: { ...order, until: 'nowhere' } }),
      call('GET', '/v1/nothing'),
      call('GET', '/v1/releases/sample/none'),
      call('POST', '/v1/releases/sample/none/abort', { body: { reason: 'x' } }),
    ]);
    expect(codes.map(({ status, body }) => `${status} ${body.code}`)).toEqual([
      '400 RequestInvalid',
      '404 UnknownService',
      '404 UnknownEnvironment',
      '404 UnknownRoute',
      '404 UnknownRelease',
      '404 UnknownRelease',
    ]);
  });
});

describe('tokens', () => {
  it('lets nobody in without one, and says how', async () => {
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Basic ${TOKENS.ann}` }]) {
      const answer = await call('GET', '/v1/releases', { as: 'nobody', headers });
      expect(answer).toMatchObject({ status: 401, body: { code: 'Unauthenticated' } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  it('says titles in the language of the reader', async () => {
    const { body } = await call('GET', '/v1/releases', {
      as: 'nobody',
      headers: { 'accept-language': 'zh-CN,en;q=0.5' },
    });
    expect(body.title).toBe('需要有效的令牌');
  });
});

describe('commands', () => {
  it('approves the plan that was looked at, by somebody else, once', async () => {
    const { path } = await startRelease();
    const planDigest = await planDigestOf(path);
    const wrong = await call('POST', `${path}/approve`, {
      as: 'bob',
      body: { planDigest: `sha256:${'0'.repeat(64)}` },
    });
    expect(wrong).toMatchObject({ status: 409, body: { code: 'PlanDigestMismatch' } });
    const own = await call('POST', `${path}/approve`, { as: 'ann', body: { planDigest } });
    expect(own).toMatchObject({ status: 403, body: { code: 'SelfApproval' } });
    const clicks = await Promise.all(
      Array.from({ length: 10 }, () =>
        call('POST', `${path}/approve`, { as: 'bob', key: 'click-1', body: { planDigest } }),
      ),
    );
    for (const { status, body } of clicks) {
      expect(status).toBe(200);
      expect(body).toMatchObject({ by: 'bob', planDigest });
    }
    const view = await ended(path);
    expect(view.outcome).toBe('released');
    expect(view.approvals).toHaveLength(1);
    const late = await call('POST', `${path}/approve`, { as: 'bob', body: { planDigest } });
    expect(late).toMatchObject({ status: 409, body: { code: 'ReleaseOver' } });
  });

  it('does not give one person the answer to another one with the same click id', async () => {
    const { path } = await startRelease();
    const planDigest = await planDigestOf(path);
    const own = await call('POST', `${path}/approve`, { as: 'ann', key: 'same', body: { planDigest } });
    const other = await call('POST', `${path}/approve`, { as: 'bob', key: 'same', body: { planDigest } });
    expect([own.status, other.status]).toEqual([403, 200]);
  });

  it.each([
    ['reject', 'aborted', 'ApprovalRejected'],
    ['abort', 'aborted', 'Aborted'],
    ['rollback', 'rolled-back', undefined],
  ])('%s ends a running release as %s', async (verb, outcome, failure) => {
    const { path } = await startRelease();
    const noReason = await call('POST', `${path}/${verb}`, { body: { reason: ' ' } });
    expect(noReason).toMatchObject({ status: 400, body: { errors: [{ path: 'reason' }] } });
    const { status, body } = await call('POST', `${path}/${verb}`, { body: { reason: 'wrong colour' } });
    expect(status).toBe(202);
    expect(body.location).toBe(path);
    const view = await ended(path);
    expect(view.outcome).toBe(outcome);
    expect(view.failure?.type).toBe(failure);
  });

  it('rolls back a release that has ended by another one, once however often it is asked', async () => {
    const { key, path } = await startRelease('quick');
    const { bundle } = await ended(path);
    const answers = await Promise.all([1, 2].map(() => call('POST', `${path}/rollback`, { body: { reason: 'bad' } })));
    for (const { status, body, headers } of answers) {
      expect(status).toBe(202);
      expect(body.id).toBe(`release/sample/${key}.rollback`);
      expect(headers.get('location')).toBe(`/v1/releases/sample/${key}.rollback`);
    }
    const view = await ended(`${path}.rollback`);
    expect(view).toMatchObject({ outcome: 'rolled-back', rollbacks: [{ environment: 'prod', reason: 'bad' }] });
    expect(view.steps.map(({ detail }) => detail)).toEqual([`away from ${bundle?.id}`]);
    const twice = await call('POST', `${path}.rollback/rollback`, { body: { reason: 'again' } });
    expect(twice).toMatchObject({ status: 409, body: { code: 'NothingToRollBackTo' } });
  });

  it('rolls back once more what could not be rolled back before', async () => {
    const { key, path } = await startRelease('quick');
    await ended(path);
    const back = (reason: string, own?: string) =>
      call('POST', `${path}/rollback`, { body: { reason }, ...(own === undefined ? {} : { key: own }) });
    expect((await back('in vain')).body.id).toBe(`release/sample/${key}.rollback`);
    expect((await ended(`${path}.rollback`)).outcome).toBe('failed');
    const answers = await Promise.all([back('again'), back('again')]);
    expect(answers.map(({ body }) => body.id)).toEqual(Array(2).fill(`release/sample/${key}.rollback.2`));
    expect((await ended(`${path}.rollback.2`)).outcome).toBe('rolled-back');
    expect((await back('and again')).body.id).toBe(`release/sample/${key}.rollback.2`);
    // Whoever names the rollback asks for that one.
    const own = `${key}.own`;
    expect((await back('in vain', own)).body.id).toBe(`release/sample/${own}`);
    await ended(`/v1/releases/sample/${own}`);
    expect((await back('in vain', own)).body.id).toBe(`release/sample/${own}`);
  });

  it('rolls back one that has ended and still writes its books, and none that is being undone', async () => {
    const { key, path } = await startRelease('writing');
    const back = await call('POST', `${path}/rollback`, { body: { reason: 'bad' } });
    expect(back).toMatchObject({ status: 202, body: { id: `release/sample/${key}.rollback` } });
    const undoing = await startRelease('undoing');
    const refused = await call('POST', `${undoing.path}/rollback`, { body: { reason: 'bad' } });
    expect(refused).toMatchObject({ status: 409, body: { code: 'ReleaseOver' } });
  });
});

describe('a rollback', () => {
  it('takes no commands', async () => {
    const { path } = await startRelease('quick');
    await ended(path);
    await call('POST', `${path}/rollback`, { body: { reason: 'slowly' } });
    const abort = await call('POST', `${path}.rollback/abort`, { body: { reason: 'x' } });
    expect(abort).toMatchObject({ status: 409, body: { code: 'NotWaiting' } });
  });
});

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
    const deadline = performance.now() + 20_000;
    for (;;) {
      const released = keys(await list('service=sample&outcome=released'));
      const running = keys(await list('outcome=running&stage=approve-prod'));
      if (released.includes(quick.key) && running.includes(waiting.key)) {
        expect(released).not.toContain(waiting.key);
        expect(running).not.toContain(quick.key);
        break;
      }
      if (performance.now() > deadline) throw new Error('the list does not know the releases after 20 s');
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

  it('is alive and ready', async () => {
    expect((await call('GET', '/healthz', { as: 'nobody' })).text).toEqual({ status: 'ok' });
    expect((await call('GET', '/readyz', { as: 'nobody' })).text).toEqual({ status: 'ok' });
  });

  it('logs each request once, with what it is about and no token', async () => {
    const { key } = await startRelease();
    const line = rig.logs.find(
      (log) => log['release'] === undefined && log['service'] === 'sample' && log['path'] === '/v1/releases',
    );
    expect(line).toMatchObject({ method: 'POST', status: expect.any(Number), actor: 'ann' });
    await call('GET', `/v1/releases/sample/${key}`, { headers: { 'x-request-id': 'my-request-1' } });
    const mine = rig.logs.filter((log) => log['reqId'] === 'my-request-1');
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
    for await (const event of events(path, AbortSignal.timeout(30_000), { 'last-event-id': '41' })) {
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
