import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { AuditReport } from '../../../domain/audit.ts';
import { type ApiRig, startApiRig, TOKENS } from './rig.ts';

jest.setTimeout(120_000);

const PROGRAM = new URL('../../../bin/slipway.ts', import.meta.url).pathname;
const HOLDS: AuditReport = { rows: 12, hash: 'sha256:12' };
const BROKEN: AuditReport = { rows: 6, hash: 'sha256:6', broken: { number: 7, reason: 'row 7 is missing' } };

let rig: ApiRig;
/** What the walk along the ledger finds; absent while the ledger is away. */
let found: AuditReport | undefined;
let walks = 0;
beforeAll(async () => {
  rig = await startApiRig({
    verifyAudit: async () => {
      walks += 1;
      if (found === undefined) throw ApplicationFailure.retryable('ledger: connect ECONNREFUSED', 'SystemUnavailable');
      return found;
    },
  });
});
afterAll(() => rig?.stop());

async function slipway(...args: string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { PATH: process.env['PATH'] ?? '', SLIPWAY_API: rig.url, SLIPWAY_TOKEN: TOKENS.ann },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

describe('slipway audit verify', () => {
  it('says that the audit holds', async () => {
    found = HOLDS;
    expect(await slipway('audit', 'verify')).toEqual({
      code: 0,
      stdout: 'the audit holds: 12 rows, the last one is sha256:12\n',
      stderr: '',
    });
  });

  it('names the first row that does not hold, with an exit code of its own', async () => {
    found = BROKEN;
    expect(await slipway('audit', 'verify')).toMatchObject({
      code: 8,
      stdout: 'the audit does not hold from row 7 on: row 7 is missing\n',
    });
    const { code, stdout } = await slipway('-o', 'json', 'audit', 'verify');
    expect({ code, said: JSON.parse(stdout) }).toEqual({ code: 8, said: { v: 1, audit: BROKEN } });
  });

  it('says at once when the ledger is away', async () => {
    found = undefined;
    walks = 0;
    const answer = await fetch(`${rig.url}/v1/audit`, { headers: { authorization: `Bearer ${TOKENS.ann}` } });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      code: 'SystemUnavailable',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
    expect(walks).toBe(1);
  });

  it('asks for a token', async () => {
    expect((await fetch(`${rig.url}/v1/audit`)).status).toBe(401);
  });
});
