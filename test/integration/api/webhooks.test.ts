import { randomBytes, randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';
import { describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import { releaseSchema } from '../../../domain/schemas/release.ts';
import { signMessage } from '../../../domain/standard-webhooks.ts';
import { until } from '../../../local/platform/until.ts';
import { TASK_QUEUE } from '../../../workflows/contract.ts';
import { rig, runApi, TOKENS } from './rig.ts';

jest.setTimeout(120_000);

runApi();

const answerSchema = z.looseObject({
  text: z.string().default(''),
  ok: z.boolean().optional(),
  code: z.string().optional(),
  releases: z.array(z.object({ id: z.string() })).default([]),
  ignored: z.string().optional(),
});

async function post(path: string, body: string | Uint8Array, headers: Record<string, string>) {
  const response = await fetch(`${rig.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, body: answerSchema.parse(await response.json()) };
}

const now = () => Math.floor(Date.now() / 1000);

/** The headers of Standard Webhooks for a body. */
function signed(secret: string, body: string | Uint8Array, id = `msg_${randomUUID()}`, seconds = now()) {
  const message = { id, timestamp: String(seconds), body: Buffer.from(body) };
  return {
    'webhook-id': message.id,
    'webhook-timestamp': message.timestamp,
    'webhook-signature': signMessage(secret, message),
  };
}

async function startRelease(): Promise<{ name: string; planDigest: string }> {
  const key = randomUUID();
  const headers = { authorization: `Bearer ${TOKENS.ann}`, 'content-type': 'application/json' };
  await fetch(`${rig.url}/v1/releases`, {
    method: 'POST',
    headers: { ...headers, 'idempotency-key': key },
    body: JSON.stringify({ service: 'sample', ref: 'main' }),
  });
  const view = await viewOf(`sample/${key}`);
  return { name: `sample/${key}`, planDigest: view.plan?.digest ?? '' };
}

async function viewOf(name: string) {
  const response = await fetch(`${rig.url}/v1/releases/${name}`, {
    headers: { authorization: `Bearer ${TOKENS.ann}` },
  });
  return releaseSchema.parse(await response.json());
}

const say = (text: string, user = 'bob', more: object = {}) => {
  const body = JSON.stringify({ text, user, room: 'releases', ...more });
  return post('/v1/chat', body, signed(rig.secrets.chat, body));
};

describe('chat', () => {
  it('approves what was looked at, by whoever said it, with a digest cut short', async () => {
    const { name, planDigest } = await startRelease();
    const answer = await say(`approve ${name} ${planDigest.slice('sha256:'.length, 'sha256:'.length + 12)}`);
    expect(answer).toMatchObject({ status: 200, body: { ok: true, text: `bob approved ${name}.` } });
    expect((await viewOf(name)).approvals).toMatchObject([{ by: 'bob', planDigest }]);
  });

  it('counts ten clicks once', async () => {
    const { name, planDigest } = await startRelease();
    const clicks = await Promise.all(
      Array.from({ length: 10 }, () => say(`approve release/${name} ${planDigest}`, 'bob', { id: 'click-7' })),
    );
    expect(clicks.map(({ body }) => body.ok)).toEqual(Array(10).fill(true));
    expect((await viewOf(name)).approvals).toHaveLength(1);
  });

  it('speaks Chinese to whoever does', async () => {
    const { name, planDigest } = await startRelease();
    expect((await say(`状态 ${name}`)).body.text).toContain('进行中');
    expect((await say(`批准 ${name} ${planDigest}`, 'ann')).body).toMatchObject({
      ok: false,
      code: 'SelfApproval',
      text: expect.stringContaining('不能审批自己的发布'),
    });
    expect((await say(`中止 ${name} 颜色 不对`)).body.text).toBe(`bob 已中止 ${name}，正在撤销。`);
    expect((await viewOf(name)).failure?.message).toBe('bob: 颜色 不对');
    expect((await say('帮助')).body.text).toContain('批准 <服务>/<键> <计划摘要>');
  });

  it('tells status, help, usage and what it does not understand', async () => {
    const { name, planDigest } = await startRelease();
    const status = (await say(`status ${name}`)).body.text;
    expect(status).toContain('Waiting: waiting for an approval of the plan');
    expect(status).toContain(planDigest);
    expect((await say('help')).body.text).toContain('approve <service>/<key> <plan digest>');
    expect((await say(`abort ${name}`)).body).toMatchObject({ ok: false, text: 'Say: abort <service>/<key> <reason>' });
    expect((await say('make coffee')).body.ok).toBe(false);
    expect((await say('status sample/none')).body).toMatchObject({ ok: false, code: 'UnknownRelease' });
  });

  it('refuses what is forged, changed, without signature, too old or too new', async () => {
    const { name } = await startRelease();
    const body = JSON.stringify({ text: `abort ${name} forged`, user: 'bob' });
    const stranger = `whsec_${randomBytes(32).toString('base64')}`;
    const attempts = [
      signed(stranger, body),
      signed(rig.secrets.chat, body.replace('forged', 'other!')),
      {},
      signed(rig.secrets.chat, body, undefined, now() - 400),
      signed(rig.secrets.chat, body, undefined, now() + 400),
    ];
    for (const headers of attempts) {
      expect(await post('/v1/chat', body, headers)).toMatchObject({ status: 401, body: { code: 'SignatureInvalid' } });
    }
    expect((await viewOf(name)).outcome).toBeUndefined();
  });

  it('refuses a message that was seen before, for as long as its stamp could be valid', async () => {
    const body = JSON.stringify({ text: 'help', user: 'bob' });
    const stamp = now();
    const headers = signed(rig.secrets.chat, body, undefined, stamp);
    rig.stopClock(stamp);
    expect((await post('/v1/chat', body, headers)).status).toBe(200);
    for (const age of [0, 300]) {
      rig.stopClock(stamp + age);
      const replay = await post('/v1/chat', body, headers);
      expect(replay).toMatchObject({
        status: 401,
        body: { code: 'SignatureInvalid', detail: 'this message was seen before' },
      });
    }
    rig.stopClock(stamp + 301);
    expect((await post('/v1/chat', body, headers)).body.code).toBe('SignatureInvalid');
    rig.stopClock(undefined);
  });

  it('gives the same answer to a message that is sent again while it is carried out', async () => {
    const { name } = await startRelease();
    const body = JSON.stringify({ text: `abort ${name} seen enough`, user: 'bob' });
    const send = signed(rig.secrets.chat, body);
    const received: IncomingMessage[] = [];
    const receive = (event: unknown) => {
      const request = typeof event === 'object' && event !== null && 'request' in event ? event.request : undefined;
      if (request instanceof IncomingMessage) received.push(request);
    };
    let answers: Promise<Awaited<ReturnType<typeof post>>[]> | undefined;
    await rig.withoutWorker(async () => {
      const first = post('/v1/chat', body, send);
      const { namespace } = rig.client.options;
      const { taskToken, workflowExecution } = await rig.client.withDeadline(Date.now() + 60_000, () =>
        rig.client.workflowService.pollWorkflowTaskQueue({
          ...{ namespace, taskQueue: { name: TASK_QUEUE }, identity: 'dies' },
        }),
      );
      expect(workflowExecution?.workflowId).toBe(`release/${name}`);
      subscribe('http.server.request.start', receive);
      answers = Promise.all([first, post('/v1/chat', body, send)]);
      await until('the second to be there', () => expect(received.map(({ complete }) => complete)).toEqual([true]), {
        withinMs: 30_000,
      });
      unsubscribe('http.server.request.start', receive);
      // As if the time of whoever took the task were up.
      await rig.client.workflowService.respondWorkflowTaskFailed({ namespace, taskToken });
    });
    const said = { status: 200, body: { ok: true, text: `bob stopped ${name}; it is being undone.` } };
    expect(await answers).toMatchObject([said, said]);
    expect((await post('/v1/chat', body, send)).status).toBe(401);
  });

  it('takes the secret before while it is being replaced', async () => {
    const body = JSON.stringify({ text: 'help', user: 'bob' });
    expect((await post('/v1/chat', body, signed(rig.secrets.chatBefore, body))).status).toBe(200);
  });

  it('checks the bytes that were sent: white space counts, and what is no JSON is told only to the sender', async () => {
    const spaced = '{ "text":"help",  "user":"bob" }';
    expect((await post('/v1/chat', spaced, signed(rig.secrets.chat, spaced))).status).toBe(200);
    const squeezed = JSON.stringify(JSON.parse(spaced));
    expect((await post('/v1/chat', squeezed, signed(rig.secrets.chat, spaced))).status).toBe(401);
    const broken = Buffer.from([0x7b, 0xff]);
    expect(await post('/v1/chat', broken, signed(rig.secrets.chat, broken))).toMatchObject({ status: 400 });
    expect((await post('/v1/chat', broken, {})).status).toBe(401);
    const incomplete = JSON.stringify({ text: 'help' });
    const answer = await post('/v1/chat', incomplete, signed(rig.secrets.chat, incomplete));
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'user' }] } });
  });
});

describe('GitLab', () => {
  const push = (commit: string | null, more: object = {}) =>
    JSON.stringify({
      object_kind: 'push',
      ref: 'refs/heads/main',
      checkout_sha: commit,
      user_username: 'carol',
      project: { git_http_url: 'https://git.example/team/sample.git', web_url: 'https://git.example/team/sample' },
      commits: [],
      ...more,
    });
  const newCommit = () => randomBytes(20).toString('hex');

  it('releases the commit of a push, asked for by who pushed, once', async () => {
    const commit = newCommit();
    for (const headers of [{ 'x-gitlab-token': 'gitlab-token' }, signed(rig.secrets.gitlab, push(commit))]) {
      const answer = await post('/v1/webhooks/gitlab', push(commit), headers);
      expect(answer).toMatchObject({ status: 202, body: { releases: [{ id: `release/sample/${commit}` }] } });
    }
    expect(await viewOf(`sample/${commit}`)).toMatchObject({ requestedBy: 'carol', commit });
  });

  it('finds the service however its repository is written', async () => {
    const project = { git_http_url: 'https://oauth2:x@GIT.example/team/sample/' };
    const answer = await post('/v1/webhooks/gitlab', push(newCommit(), { project }), {
      'x-gitlab-token': 'gitlab-token',
    });
    expect(answer.status).toBe(202);
  });

  it('starts nothing for another branch, another repository, another event, a deleted branch', async () => {
    const bodies = [
      push(newCommit(), { ref: 'refs/heads/topic' }),
      push(newCommit(), { project: { git_http_url: 'https://git.example/team/else.git' } }),
      push(newCommit(), { object_kind: 'tag_push' }),
      push(null),
    ];
    for (const body of bodies) {
      const answer = await post('/v1/webhooks/gitlab', body, { 'x-gitlab-token': 'gitlab-token' });
      expect(answer.status).toBe(200);
      expect(answer.body.ignored).toBeDefined();
      expect(answer.body.releases).toEqual([]);
    }
  });

  it('refuses a sender without proof', async () => {
    const body = push(newCommit());
    const attempts: Record<string, string>[] = [
      {},
      { 'x-gitlab-token': 'gitlab-tokem' },
      signed(rig.secrets.chat, body),
      { ...signed(rig.secrets.gitlab, `${body} `), 'x-gitlab-token': 'gitlab-token' },
    ];
    for (const headers of attempts) {
      expect(await post('/v1/webhooks/gitlab', body, headers)).toMatchObject({
        status: 401,
        body: { code: 'SignatureInvalid' },
      });
    }
  });
});
