import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { createLedgerActivities } from '../../../activities/ledger/activities.ts';
import { type Ledger, openLedger } from '../../../activities/ledger/client.ts';
import type { JudgeInputs } from '../../../domain/judge/inputs.ts';
import { JUDGE_VERSION, judgeCanary } from '../../../domain/judge/judge.ts';
import { looks, seeded } from '../../simulated-canary.ts';
import { doorsOf } from './doors.ts';
import { type ApiRig, startApiRig } from './rig.ts';

jest.setTimeout(90_000);

const AT = '2026-01-02T03:04:05.678Z';

let rig: ApiRig;
let ledger: Ledger;
let directory = '';
const { call, slipway } = doorsOf(() => rig, 'ann', 'bob');

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-rejudge-'));
  ledger = openLedger({ directory: join(directory, 'ledger') }, () => {});
  rig = await startApiRig(createLedgerActivities(ledger));
  // Making a database takes seconds.
  await ledger.use(async () => {});
}, 120_000);
afterAll(async () => {
  await rig?.stop();
  await ledger?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** What a judge sees of a canary with such a share of errors after some seconds. */
function seen(errors: number, seconds: number): JudgeInputs {
  const simulated = {
    policy: { maxErrorPercent: 50, minRequests: 50, alpha: 0.05 },
    canary: { requestsPerSecond: 20, errors },
    baseline: { requestsPerSecond: 20, errors: 0.001 },
    others: { requestsPerSecond: 160, errors: 0.001 },
    intervalSeconds: 1,
  };
  const last = [...looks(seeded(7), simulated, seconds)].at(-1);
  if (!last) throw new Error('no look');
  return last;
}

/** Keeps a release in the ledger that has judged these. */
async function keep(key: string, ...judged: readonly JudgeInputs[]): Promise<void> {
  const entries = judged.map((inputs, index) => ({
    kind: 'verdict' as const,
    ...{ at: AT, number: index + 1, step: `judge-prod-${index + 1}`, judge: 'errors' },
    ...{ verdict: judgeCanary(inputs), inputs },
  }));
  await createLedgerActivities(ledger).writeLedger({
    ...{ teller: `release/sample/${key}`, service: 'sample', run: `run-${key}`, first: 1 },
    entries: [{ kind: 'begun', at: AT, by: 'ann', request: { service: 'sample', ref: 'main' } }, ...entries],
  });
}

/** As the owner of the database could. */
const tamper = (statement: string): Promise<unknown> => ledger.use((db) => sql.raw(statement).execute(db));

function policyFile(text: string): string {
  const path = join(directory, 'policy.yaml');
  writeFileSync(path, text);
  return path;
}

describe('slipway judge --replay', () => {
  it('judges every verdict of a release again, and finds it equal to the letter', async () => {
    await keep('equal', seen(0, 2), seen(0, 40), seen(0.2, 40));
    expect(await slipway('judge', '--replay', 'sample/equal')).toEqual({
      code: 0,
      stdout: [
        'STEP          JUDGE   THEN                                    NOW',
        'judge-prod-1  errors  inconclusive (too-few-canary-requests)  inconclusive (too-few-canary-requests)  equal',
        'judge-prod-2  errors  pass (not-inferior)                     pass (not-inferior)                     equal',
        'judge-prod-3  errors  fail (more-errors-than-baseline)        fail (more-errors-than-baseline)        equal',
        '',
      ].join('\n'),
      stderr: 'sample/equal: all 3 judged the same\n',
    });
    const { stdout } = await slipway('-o', 'json', 'judge', '--replay', 'sample/equal');
    expect(JSON.parse(stdout)).toMatchObject({
      v: 1,
      verdicts: [{ number: 1 }, { number: 2 }, { number: 3, at: AT, now: judgeCanary(seen(0.2, 40)), differences: [] }],
    });
    const zh = await slipway('judge', '--replay', 'sample/equal', '--lang', 'zh');
    expect(zh.stdout).toContain('通过 (not-inferior)');
    expect(zh.stderr).toContain('3 次判定均相同');
  });

  it('tells what another policy would have said', async () => {
    await keep('policy', seen(0, 40), seen(0.2, 40));
    const file = policyFile('maxErrors: 50%\nminRequests: 100000\n');
    const { code, stderr, stdout } = await slipway('judge', '--replay', 'sample/policy', '--policy', file);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /judge-prod-1 .* pass \(not-inferior\) +inconclusive \(too-few-canary-requests\) +differs: result, rule\n/,
    );
    expect(stderr).toContain('verdict inconclusive: the canary has answered ');
    expect(stderr).toContain('sample/policy: 2 of 2 judged otherwise');
    const same = await slipway('judge', '--replay', 'sample/policy', '--policy', policyFile('maxErrors: 49%\n'));
    expect(same.stdout).toMatch(/fail \(more-errors-than-baseline\) +same result\n/);
  });

  it('sees figures and verdicts that were changed afterwards', async () => {
    await keep('figures', seen(0.2, 40));
    await keep('verdict', seen(0.2, 40));
    await tamper(
      `update verdicts set inputs = replace(inputs::text, '"canaryShare":10', '"canaryShare":11')::json where release = 'release/sample/figures'`,
    );
    await tamper(
      `update verdicts set verdict = replace(verdict::text, '"result":"fail"', '"result":"pass"')::json where release = 'release/sample/verdict'`,
    );
    const figures = await slipway('judge', '--replay', 'sample/figures');
    expect([figures.code, figures.stdout]).toEqual([8, expect.stringMatching(/differs: inputHash, parameters/)]);
    expect(figures.stderr).toContain('what the ledger keeps of sample/figures was changed');
    const verdict = await slipway('judge', '--replay', 'sample/verdict');
    expect([verdict.code, verdict.stdout]).toEqual([8, expect.stringMatching(/pass .* fail .* differs: result\n/)]);
    // Under another policy the hash is another by nature: that tells nothing.
    const file = policyFile('maxErrors: 50%\n');
    expect((await slipway('judge', '--replay', 'sample/figures', '--policy', file)).code).toBe(0);
  });

  it('compares result and rule with what another version of the judge gave', async () => {
    await keep('old', seen(0, 40));
    await tamper(
      `update verdicts set verdict = '{"result":"pass","rule":"not-inferior","sentence":"fine","sentenceZh":"好","inputHash":"${judgeCanary(seen(0, 40)).inputHash}","judgeVersion":2,"bayesFactor":null}' where release = 'release/sample/old'`,
    );
    const { code, stderr, stdout } = await slipway('judge', '--replay', 'sample/old');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/same result\n/)]);
    expect(stderr).toContain(`judged by version 2 of the judge; this is version ${JUDGE_VERSION}`);
  });

  it('says why it can not judge again', async () => {
    await keep('none');
    const said = (...args: string[]) => slipway('judge', '--replay', ...args);
    expect(await said('sample/none')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('has judged no canary'),
    });
    expect(await said('sample/unknown')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the ledger knows no release/sample/unknown'),
    });
    expect(await said('sample/none', '--policy', policyFile('maxErrors: 5\nmaxSlowdown: 0%\n'))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /maxErrors write a share with its sign, such as 5%[\s\S]*maxSlowdown must be above 0%/,
      ),
    });
    expect(await said('sample/none', '--policy', '/nowhere/policy.yaml')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/\/nowhere\/policy.yaml: .*ENOENT/),
    });
    await keep('broken', seen(0, 40));
    await tamper(`update verdicts set inputs = '{"intervals":[]}' where release = 'release/sample/broken'`);
    expect(await call('/v1/releases/sample/broken/rejudge', {})).toMatchObject({
      status: 502,
      body: { code: 'UnexpectedAnswer', detail: expect.stringContaining('figures of a verdict that no judge') },
    });
  });

  it.each([
    ['an alpha of 1', { policy: { maxErrorPercent: 5, minRequests: 50, alpha: 1 } }],
    ['a policy without limits', { policy: {} }],
    ['another key', { policies: [] }],
  ])('refuses %s', async (_, body) => {
    expect(await call('/v1/releases/sample/equal/rejudge', body)).toMatchObject({
      status: 400,
      body: { code: 'RequestInvalid' },
    });
  });
});
