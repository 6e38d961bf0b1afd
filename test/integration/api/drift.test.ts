/** Hand-made changes by the doors that people have: HTTP, the command line, chat. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { laneWorkflowId, TASK_QUEUE, WorkflowType } from '../../../workflows/contract.ts';
import { doorsOf } from './doors.ts';
import { type ApiRig, startApiRig } from './rig.ts';

jest.setTimeout(120_000);

let rig: ApiRig;
beforeAll(async () => {
  rig = await startApiRig();
  for (const environment of ['prod', 'fat']) {
    await rig.client.workflow.start(WorkflowType.Lane, {
      workflowId: laneWorkflowId(environment, 'other'),
      taskQueue: TASK_QUEUE,
      args: [{ environment, service: 'other' }],
    });
  }
});
afterAll(() => rig?.stop());

const { call, say, slipway } = doorsOf(() => rig, 'ann', 'bob');

describe('a hand-made change', () => {
  const reason = { reason: 'it was late' };
  const SENTENCE = 'r7 was scaled by hand: 5 instances, not 2';

  it('is shown with its lane, in both languages', async () => {
    expect((await call('/v1/lanes/prod/other')).body).toMatchObject({
      drift: { environment: 'prod', differences: [{ kind: 'scaled', sentence: SENTENCE }] },
    });
    const shown = await slipway('lane', 'show', 'prod', 'other');
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining(SENTENCE) });
    expect(shown.stdout).toContain('slipway lane adopt prod other');
    expect((await slipway('--lang', 'zh', 'lane', 'show', 'prod', 'other')).stdout).toContain('r7 被手工伸缩');
    expect((await slipway('lanes', 'other')).stderr).toContain(SENTENCE);
  });

  it('is adopted and reverted by HTTP, once a click', async () => {
    const path = '/v1/lanes/prod/other/adopt';
    const taken = { id: 'lane/prod/other', location: '/v1/lanes/prod/other' };
    expect(await call(path, reason, { key: 'click-1' })).toEqual({ status: 202, body: taken });
    expect(await call(path, reason, { key: 'click-1' })).toEqual({ status: 202, body: taken });
    expect(await call(path, reason)).toMatchObject({ status: 409, body: { code: 'NoDrift' } });
    expect((await call('/v1/lanes/prod/other')).body).not.toHaveProperty('drift');
  });

  it('is reverted by the command line, and by chat', async () => {
    const done = await slipway('lane', 'revert', 'fat', 'other', '--reason', 'a mistake');
    expect(done).toMatchObject({ code: 0, stderr: 'lane/fat/other carries it out\n' });
    expect(await slipway('lane', 'revert', 'prod', 'other', '--reason', 'again')).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('NoDrift'),
    });
    expect(await say('revert fat/other a mistake')).toMatchObject({
      ok: true,
      text: 'bob reverts what was changed by hand; lane/fat/other carries it out.',
    });
    expect(await say('还原 prod/other 误操作')).toMatchObject({ ok: false, code: 'NoDrift' });
  });

  it('is refused where there is none, with a reason missing, or for what is not configured', async () => {
    expect((await call('/v1/lanes/fat/sample/revert', reason)).body).toMatchObject({ code: 'NoDrift' });
    expect((await call('/v1/lanes/mars/sample/revert', reason)).body).toMatchObject({ code: 'UnknownEnvironment' });
    expect((await call('/v1/lanes/prod/nobody/revert', reason)).body).toMatchObject({ code: 'UnknownService' });
    expect(await call('/v1/lanes/fat/other/revert', {})).toMatchObject({ status: 400 });
  });
});
