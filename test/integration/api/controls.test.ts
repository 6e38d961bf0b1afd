/** What people say to releases under way, and freezes, by the doors that people have: HTTP, the command line, chat. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import type { Freeze } from '../../../domain/freeze.ts';
import type { FreezeEntry } from '../../../domain/ledger.ts';
import { doorsOf } from './doors.ts';
import { type ApiRig, startApiRig } from './rig.ts';

jest.setTimeout(120_000);

const told: FreezeEntry[] = [];
let rig: ApiRig;
beforeAll(async () => {
  rig = await startApiRig({
    writeFreezes: async ({ entries }: { entries: readonly FreezeEntry[] }) => told.push(...entries),
    announceFreezes: async () => ({ gone: [] }),
  });
});
afterAll(() => rig?.stop());

/** What these tests read of answers; the rest is kept. */
const answerSchema = z.looseObject({
  id: z.string().optional(),
  plan: z.object({ digest: z.string() }).optional(),
  freezes: z.array(z.looseObject({ id: z.string() })).optional(),
});

const { call: callDoor, say, slipway } = doorsOf(() => rig, 'bob', 'cat');

async function call(...order: Parameters<typeof callDoor>) {
  const { status, body } = await callDoor(...order);
  return { status, body: answerSchema.parse(body) };
}

/** A release of ann's that waits for approval. */
async function waiting(): Promise<string> {
  const key = randomUUID();
  const started = await call('/v1/releases', { service: 'sample', ref: 'main' }, { by: 'ann', key });
  expect(started.status).toBe(202);
  return `sample/${key}`;
}

const digestOf = async (name: string) => (await call(`/v1/releases/${name}`)).body.plan?.digest;

describe('commands', () => {
  it('are taken once a click, and refused with a code and a sentence where they mean nothing', async () => {
    const name = await waiting();
    const command = (verb: string, over: object = {}, key: string = randomUUID()) =>
      call(`/v1/releases/${name}/${verb}`, { reason: 'lunch', ...over }, { key });
    const first = await command('pause', {}, 'click-1');
    expect(first).toEqual({
      status: 200,
      body: { command: { name: 'pause', by: 'bob', reason: 'lunch', at: expect.any(String) }, missing: 0 },
    });
    expect(await command('pause', {}, 'click-1')).toEqual(first);
    for (const [verb, over, status, code] of [
      ['pause', {}, 409, 'AlreadyPaused'],
      ['pause', { planDigest: `sha256:${'0'.repeat(64)}` }, 409, 'PlanDigestMismatch'],
      ['skip-hold', {}, 409, 'NothingToSkip'],
      ['skip-hold', { step: 'hold-moon' }, 404, 'UnknownStep'],
      ['skip-analysis', {}, 409, 'NothingToSkip'],
      ['retry-step', {}, 409, 'NothingToRetry'],
      ['resume', { reason: '' }, 400, 'RequestInvalid'],
    ] as const) {
      expect([verb, over, (await command(verb, over)).body]).toMatchObject([verb, over, { code, status }]);
    }
    expect((await command('resume')).status).toBe(200);
    expect((await command('resume')).body).toMatchObject({ code: 'NotPaused' });
    expect((await command('promote-fully', {}, 'click-2')).body).toMatchObject({ missing: 0 });
    await call(`/v1/releases/${name}/abort`, { reason: 'enough' });
    expect((await command('pause')).body).toMatchObject({ code: 'ReleaseOver', status: 409 });
    expect((await call('/v1/releases/sample/nothing/pause', { reason: 'x' })).body).toMatchObject({
      code: 'UnknownRelease',
    });
  });

  it('are the same on the command line, in both languages', async () => {
    const name = await waiting();
    const paused = await slipway('pause', name, '--reason', 'lunch');
    expect(paused).toMatchObject({ code: 0, stderr: `${name}: pause is taken\n` });
    expect(await slipway('pause', name, '--reason', 'lunch')).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('AlreadyPaused'),
    });
    const resumed = await slipway('--lang', 'zh', '-o', 'json', 'resume', name, '--reason', '继续');
    expect(resumed).toMatchObject({ code: 0, stderr: `${name}：已接受 resume\n` });
    expect(JSON.parse(resumed.stdout)).toMatchObject({ v: 1, command: { name: 'resume', by: 'bob' }, missing: 0 });
    const retried = await slipway('retry-step', name, 'deploy-fat', '--reason', 'mended');
    expect(retried).toMatchObject({ code: 7, stderr: expect.stringContaining('NothingToRetry') });
    const skipped = await slipway('skip-hold', name, '--step', 'nothing', '--reason', 'x');
    expect(skipped).toMatchObject({ code: 2, stderr: expect.stringContaining('UnknownStep') });
  });

  it('are understood in chat, in both languages', async () => {
    const name = await waiting();
    expect(await say(`pause ${name} lunch`)).toEqual({ ok: true, text: `cat: paused ${name}.` });
    expect(await say(`继续 ${name} 回来了`)).toEqual({ ok: true, text: `cat：已继续 ${name}。` });
    expect(await say(`retry-step ${name} build mended`)).toMatchObject({ ok: false, code: 'UnknownStep' });
    expect(await say(`retry-step ${name} deploy-fat`)).toMatchObject({
      ok: false,
      text: 'Say: retry-step <service>/<key> <step> <reason>',
    });
  });

  it('are not taken for the approval that a click was used for before', async () => {
    const name = await waiting();
    const planDigest = await digestOf(name);
    const approve = (over: object) => call(`/v1/releases/${name}/approve`, { planDigest, ...over }, { key: 'click-3' });
    expect((await approve({})).body).toMatchObject({ by: 'bob', step: 'approve-prod' });
    expect((await approve({ step: 'approve-prod' })).status).toBe(200);
    expect((await approve({ step: 'approve-prod-2' })).body).toMatchObject({ code: 'ClickUsed', status: 409 });
    expect((await approve({ planDigest: `sha256:${'0'.repeat(64)}` })).body).toMatchObject({ code: 'ClickUsed' });
  });
});

describe('freezes', () => {
  afterEach(async () => {
    for (const { id } of (await call('/v1/freezes')).body.freezes ?? []) {
      await call(`/v1/freezes/${id}/lift`, { reason: 'the test is over' });
    }
  });

  it('are made, listed and lifted, each click once', async () => {
    expect((await call('/v1/freezes')).body).toEqual({ freezes: [] });
    const order = { scope: { environment: 'prod' }, reason: 'an incident' };
    const made = await call('/v1/freezes', order, { key: 'click-4' });
    expect(made).toMatchObject({ status: 200, body: { ...order, by: 'bob' } });
    expect(await call('/v1/freezes', order, { key: 'click-4' })).toEqual(made);
    expect((await call('/v1/freezes', { ...order, scope: {} }, { key: 'click-4' })).body).toMatchObject({
      code: 'ClickUsed',
      status: 409,
    });
    expect((await call('/v1/freezes')).body).toEqual({ freezes: [made.body] });
    const lift = () => call(`/v1/freezes/${made.body.id}/lift`, { reason: 'mended' }, { key: 'click-5' });
    expect(await lift()).toEqual(made);
    expect(await lift()).toEqual(made);
    expect((await call(`/v1/freezes/${made.body.id}/lift`, { reason: 'again' })).body).toMatchObject({
      code: 'UnknownFreeze',
      status: 404,
    });
  });

  it.each([
    ['an environment that is not configured', { scope: { environment: 'moon' }, reason: 'x' }, 'UnknownEnvironment'],
    ['a service that is not configured', { scope: { service: 'moon' }, reason: 'x' }, 'UnknownService'],
    ['no reason', { scope: {}, reason: ' ' }, 'RequestInvalid'],
    ['no scope', { reason: 'x' }, 'RequestInvalid'],
    ['a word too much', { scope: { server: 'a' }, reason: 'x' }, 'RequestInvalid'],
    ['an end that is past', { scope: {}, reason: 'x', until: '2020-01-01T00:00:00Z' }, 'RequestInvalid'],
  ])('are refused with %s', async (_, order, code) => {
    expect((await call('/v1/freezes', order)).body).toMatchObject({ code });
  });

  it('are the same on the command line', async () => {
    expect(await slipway('freezes')).toEqual({ code: 0, stdout: '', stderr: 'Nothing is frozen.\n' });
    const vague = await slipway('freeze', '--reason', 'x');
    expect(vague).toMatchObject({ code: 2, stderr: expect.stringContaining('--all') });
    expect(await slipway('freeze', '--all', '--service', 'sample', '--reason', 'x')).toMatchObject({ code: 2 });
    expect(await slipway('freeze', '--all', '--until', 'noon', '--reason', 'x')).toMatchObject({ code: 2 });
    const frozen = await slipway('freeze', '--environment', 'prod', '--service', 'sample', '--reason', 'a fair');
    expect(frozen).toMatchObject({ code: 0, stderr: 'sample in prod is frozen; ways back go on\n' });
    const id = frozen.stdout.trim();
    const listed = await slipway('-o', 'json', 'freezes');
    const { freezes }: { freezes: Freeze[] } = JSON.parse(listed.stdout);
    expect(freezes).toMatchObject([{ id, scope: { environment: 'prod', service: 'sample' }, reason: 'a fair' }]);
    expect((await slipway('freezes')).stdout).toContain('a fair');
    expect(await slipway('unfreeze', id, '--reason', 'over')).toMatchObject({ code: 0 });
    expect(await slipway('unfreeze', id, '--reason', 'over')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('UnknownFreeze'),
    });
  });

  it('are understood in chat, in both languages', async () => {
    const answer = await say('freeze prod/sample an incident');
    expect(answer).toMatchObject({ ok: true, text: expect.stringContaining('cat froze sample in prod') });
    const [id] = (await call('/v1/freezes')).body.freezes?.map((freeze) => freeze.id) ?? [];
    expect(await say('冻结列表')).toMatchObject({ ok: true, text: expect.stringContaining(`${id} prod/sample`) });
    expect(await say(`解冻 ${id} 好了`)).toEqual({ ok: true, text: `cat 已解除 prod/sample 的冻结 ${id}。` });
    expect(await say('freezes')).toEqual({ ok: true, text: 'Nothing is frozen.' });
    expect(await say('冻结 全部 事故')).toMatchObject({ ok: true, text: expect.stringContaining('全部') });
    expect(await say('freeze moon x')).toMatchObject({ ok: false, code: 'UnknownService' });
    expect(await say('freeze prod')).toMatchObject({ ok: false, text: expect.stringContaining('Say: freeze') });
  });

  it('are written down', () => {
    expect(told.map(({ kind }) => kind)).toContain('freeze');
    expect(told.map(({ kind }) => kind)).toContain('unfreeze');
  });
});
