import { randomUUID } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { bundleOf } from '../../../domain/bundle.ts';
import { releaseSchema } from '../../../domain/schemas/release.ts';
import { releaseCalls } from './release-calls.ts';
import { rig, runApi, TOKENS } from './rig.ts';

jest.setTimeout(120_000);

runApi();

const { call, ended, startRelease } = releaseCalls(() => rig);

const planDigestOf = async (path: string) => releaseSchema.parse((await call('GET', path)).body).plan?.digest ?? '';

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

  it('rolls back one that still writes its books or gives its last lane back, and none that is being undone', async () => {
    const { key, path } = await startRelease('writing');
    const back = await call('POST', `${path}/rollback`, { body: { reason: 'bad' } });
    expect(back).toMatchObject({ status: 202, body: { id: `release/sample/${key}.rollback` } });
    const leaving = await startRelease('leaving');
    expect(await call('POST', `${leaving.path}/rollback`, { body: { reason: 'bad' } })).toMatchObject({
      status: 202,
      body: { id: `release/sample/${leaving.key}.rollback` },
    });
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
