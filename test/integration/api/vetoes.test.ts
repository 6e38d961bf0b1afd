/** Vetoes by the doors that people have: HTTP, the command line, chat. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { laneWorkflowId, TASK_QUEUE, WorkflowType } from '../../../workflows/contract.ts';
import { doorsOf } from './doors.ts';
import { type ApiRig, startApiRig } from './rig.ts';

jest.setTimeout(120_000);

const VETOED = 'b-fedcba9876543210';

let rig: ApiRig;
beforeAll(async () => {
  rig = await startApiRig();
  for (const service of ['sample', 'other']) {
    await rig.client.workflow.start(WorkflowType.Lane, {
      workflowId: laneWorkflowId('prod', service),
      taskQueue: TASK_QUEUE,
      args: [{ environment: 'prod', service }],
    });
  }
});
afterAll(() => rig?.stop());

const { call, say, slipway } = doorsOf(() => rig, 'ann', 'bob');

describe('vetoes', () => {
  it('are listed with why, and shown with their lane', async () => {
    const { body } = await call('/v1/vetoes?service=sample');
    expect(body).toEqual({
      vetoes: [
        {
          environment: 'prod',
          service: 'sample',
          veto: {
            bundle: VETOED,
            version: '1.1.0',
            release: 'release/sample/k0',
            reason: 'errors of 9 %',
            at: '2026-01-02T03:04:05.678Z',
          },
        },
      ],
    });
    expect((await call('/v1/lanes/prod/sample')).body).toMatchObject({ state: { vetoes: [{ bundle: VETOED }] } });
    const { code, stdout } = await slipway('veto', 'list', 'sample');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/prod +sample +b-fedcba9876543210 +1\.1\.0/),
    });
    expect(await say('vetoes sample')).toMatchObject({ ok: true, text: expect.stringContaining('errors of 9 %') });
  });

  it('are lifted once by one click, and then there is none to lift', async () => {
    const path = `/v1/lanes/prod/sample/vetoes/${VETOED}/lift`;
    const first = await call(path, { reason: 'it was the database' }, { key: 'click-1' });
    expect(first).toMatchObject({ status: 200, body: { bundle: VETOED, version: '1.1.0' } });
    expect(await call(path, { reason: 'it was the database' }, { key: 'click-1' })).toEqual(first);
    expect(await call(path, { reason: 'again' })).toMatchObject({ status: 404, body: { code: 'UnknownVeto' } });
    expect((await call('/v1/vetoes?service=sample')).body).toEqual({ vetoes: [] });
    expect(await slipway('veto', 'list', 'sample')).toMatchObject({ code: 0, stdout: '', stderr: 'No vetoes.\n' });
    expect(await say('否决 sample')).toMatchObject({ ok: true, text: 'sample 没有被否决的制品。' });
  });

  it('refuse bundles, services and lanes that are not there, and a lift without a reason', async () => {
    expect((await call('/v1/vetoes?service=unknown')).body).toMatchObject({ code: 'UnknownService' });
    const lift = (where: string, body: object = { reason: 'why' }) => call(`/v1/lanes/${where}/lift`, body);
    expect((await lift(`prod/sample/vetoes/b-0000000000000000`)).body).toMatchObject({ code: 'UnknownVeto' });
    expect((await lift(`fat/sample/vetoes/${VETOED}`)).body).toMatchObject({ code: 'UnknownVeto' });
    expect((await lift(`mars/sample/vetoes/${VETOED}`)).body).toMatchObject({ code: 'UnknownEnvironment' });
    expect(await lift('prod/other/vetoes/2.0.0')).toMatchObject({ status: 400, body: { code: 'RequestInvalid' } });
    expect(await lift(`prod/other/vetoes/${VETOED}`, {})).toMatchObject({ status: 400 });
    expect((await call('/v1/vetoes?service=other')).body).toMatchObject({ vetoes: [{ veto: { bundle: VETOED } }] });
  });

  it('are lifted from chat and from the command line, by whoever said it', async () => {
    expect(await say(`lift prod/other ${VETOED} false alarm`)).toMatchObject({
      ok: true,
      text: 'bob lifted the veto: 1.1.0 may go to prod again.',
    });
    const again = await slipway('veto', 'lift', 'prod', 'other', VETOED, '--reason', 'twice');
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('UnknownVeto') });
    const { code } = await slipway('veto', 'lift', 'prod', 'other', VETOED);
    expect(code).toBe(2);
  });
});
