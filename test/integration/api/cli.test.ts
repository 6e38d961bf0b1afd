import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import { bundleOf } from '../../../domain/bundle.ts';
import { releaseSchema } from '../../../domain/schemas/release.ts';
import { laneWorkflowId, TASK_QUEUE, WorkflowType } from '../../../workflows/contract.ts';
import { type ApiRig, startApiRig, TOKENS } from './rig.ts';

jest.setTimeout(120_000);

const PROGRAM = new URL('../../../bin/slipway.ts', import.meta.url).pathname;

const scratch = mkdtempSync(join(tmpdir(), 'slipway-cli-'));

let rig: ApiRig;
beforeAll(async () => {
  rig = await startApiRig();
});
afterAll(async () => {
  rmSync(scratch, { recursive: true });
  await rig?.stop();
});

interface Run {
  readonly process: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  /** Resolves when stderr has said this. */
  said(text: string): Promise<void>;
}

/** Starts the real command, with nothing of this terminal's settings. */
function start(args: readonly string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { PATH: process.env['PATH'] ?? '', SLIPWAY_API: rig.url, SLIPWAY_TOKEN: TOKENS.ann, ...env },
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
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }));
  const said = async (text: string) => {
    while (!stderr.includes(text)) {
      await Promise.race([once(child.stderr, 'data'), ended]);
      if (child.exitCode !== null && !stderr.includes(text)) throw new Error(`it ended without ${text}: ${stderr}`);
    }
  };
  return { process: child, ended, said };
}

const run = (args: readonly string[], env?: Record<string, string>) => start(args, env).ended;
const bob = { SLIPWAY_TOKEN: TOKENS.bob };

/** A release that waits for approval. */
async function waitingRelease(): Promise<{ name: string; planDigest: string }> {
  const name = `sample/${randomUUID()}`;
  const { code } = await run(['release', 'sample', '--ref', 'main', '--key', name.slice('sample/'.length)]);
  expect(code).toBe(0);
  const { stdout } = await run(['status', name, '-o', 'json']);
  const { release } = z.object({ v: z.literal(1), release: releaseSchema }).parse(JSON.parse(stdout));
  return { name, planDigest: release.plan?.digest ?? '' };
}

describe('slipway', () => {
  it('starts a release: its name on stdout, words for people on stderr', async () => {
    const { code, stdout, stderr } = await run(['release', 'sample', '--ref', 'main', '--key', 'k1']);
    expect([code, stdout]).toEqual([0, 'sample/k1\n']);
    expect(stderr).toContain('slipway status sample/k1 --watch');
    const again = await run(['release', 'sample', '--ref', 'other', '--key', 'k1']);
    expect(again.code).toBe(7);
    expect(again.stderr).toContain('IdempotencyKeyReused');
  });

  it('says that a release has ended when its key is used again', async () => {
    const order = ['release', 'sample', '--ref', 'quick', '--key', randomUUID()];
    expect((await run([...order, '--watch'])).code).toBe(0);
    const { code, stdout, stderr } = await run(order);
    expect([code, stdout, stderr]).toEqual([
      0,
      `sample/${order.at(-1)}\n`,
      `sample/${order.at(-1)} has ended: released\n`,
    ]);
  });

  it('watches to the end: a line for each change, the tree last, the exit code the outcome', async () => {
    const { name, planDigest } = await waitingRelease();
    const watch = start(['status', name, '--watch']);
    await watch.said('waiting for an approval of the plan');
    expect((await run(['approve', name, '--plan-digest', planDigest], bob)).code).toBe(0);
    const { code, stdout, stderr } = await watch.ended;
    expect(code).toBe(0);
    expect(stderr).toContain('approved by bob');
    expect(stdout).toContain('sample 1.2.3 · released');
    expect(`${stdout}${stderr}`).not.toContain('\u001b');
  });

  it('watches in JSON: a line for each state, the last one the result', async () => {
    const { code, stdout } = await run(['release', 'sample', '--ref', 'broken', '--watch', '-o', 'json']);
    expect(code).toBe(5);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    const events = z.array(z.object({ v: z.literal(1), event: z.string(), release: releaseSchema })).parse(lines);
    expect(events.at(-1)?.event).toBe('result');
    expect(events.slice(0, -1).every(({ event }) => event === 'release')).toBe(true);
    expect(events.at(-1)?.release.failure?.type).toBe('BuildFailed');
    expect(lines.at(-1)).toMatchObject({ exitCode: 5 });
  });

  it.each([
    ['reject', 6, []],
    ['abort', 6, []],
    ['rollback', 5, []],
  ])('%s with a reason; whoever watches ends with %i', async (verb, code) => {
    const { name } = await waitingRelease();
    const watch = start(['status', name, '-w']);
    await watch.said('waiting');
    expect((await run([verb, name, '--reason', 'wrong colour'])).code).toBe(0);
    expect((await watch.ended).code).toBe(code);
    const late = await run(['abort', name, '--reason', 'late']);
    expect([late.code, late.stderr]).toEqual([7, expect.stringContaining('ReleaseOver')]);
  });

  it('rolls back what has ended, and calls that a success', async () => {
    const key = randomUUID();
    await run(['release', 'sample', '--ref', 'quick', '--key', key, '--watch']);
    const { code, stdout } = await run(['rollback', `sample/${key}`, '--reason', 'bad', '--watch']);
    expect(code).toBe(0);
    expect(stdout).toContain('rollback in prod: bad');
  });

  it('ends with 3 when it still runs at --timeout, and with 130 when interrupted; the release goes on', async () => {
    const { name } = await waitingRelease();
    const timed = await run(['status', name, '--watch', '--timeout', '1']);
    expect([timed.code, timed.stderr]).toEqual([3, expect.stringContaining(`${name} still runs after 1.0s`)]);
    const watch = start(['status', name, '--watch']);
    await watch.said('waiting');
    watch.process.kill('SIGINT');
    const interrupted = await watch.ended;
    expect([interrupted.code, interrupted.stderr]).toEqual([130, expect.stringContaining(`${name} goes on`)]);
    expect((await run(['status', name, '-o', 'json'])).stdout).not.toContain('"outcome":"aborted"');
  });

  it('approves nothing by itself where nobody can look', async () => {
    const { name } = await waitingRelease();
    const blind = await run(['approve', name], bob);
    expect([blind.code, blind.stderr]).toEqual([2, expect.stringContaining('--plan-digest')]);
    const wrong = await run(['approve', name, '--plan-digest', `sha256:${'0'.repeat(64)}`], bob);
    expect([wrong.code, wrong.stderr]).toEqual([7, expect.stringContaining('PlanDigestMismatch')]);
    const own = await run(['approve', name, '--plan-digest', `sha256:${'0'.repeat(64)}`, '-o', 'json']);
    expect(own.stdout).toBe('');
    expect(JSON.parse(own.stderr)).toMatchObject({ code: 'PlanDigestMismatch', status: 409 });
  });

  it('shows a plan and its digest, and every error of a manifest', async () => {
    const { code, stdout } = await run(['plan', 'sample', '--ref', 'main']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/deploy-fat {2,}starts 1 instance in fat[\s\S]*plan sha256:[0-9a-f]{64}\n$/);
    const invalid = await run(['plan', 'sample', '--ref', 'invalid']);
    expect(invalid.code).toBe(2);
    expect(invalid.stderr).toContain('run.cpus: write a number above 0');
    expect(invalid.stderr).toContain('release.canary[1].weight: write a percentage');
  });

  it('shows in a plan where a bundle is vetoed', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const bundle = bundleOf({
      ...{ service: 'sample', version: '1.1.0', commit: 'abc', image: { repository: 'sample', digest } },
      ...{ testImages: {}, configVersion: 0, manifestDigest: digest },
    });
    const path = join(scratch, 'vetoed.json');
    writeFileSync(path, JSON.stringify(bundle));
    const { code, stdout } = await run(['plan', 'sample', '--bundle', path]);
    expect(code).toBe(0);
    expect(stdout).toContain(`vetoed: 1.1.0 (${bundle.id}) was taken back from prod by release/sample/k0`);
  });

  it('shows lanes and lists releases', async () => {
    await rig.client.workflow.start(WorkflowType.Lane, {
      workflowId: laneWorkflowId('prod', 'sample'),
      taskQueue: TASK_QUEUE,
      args: [{ environment: 'prod', service: 'sample' }],
    });
    const lanes = await run(['lanes', 'sample']);
    expect(lanes.stdout).toMatch(
      /^SERVICE +ENVIRONMENT[\s\S]*sample +fat +- +-[\s\S]*sample +prod +r7 +1\.0\.0 +2 +sample\/k1\n$/,
    );
    const list = await run(['list', '--service', 'other']);
    expect([list.code, list.stdout, list.stderr]).toEqual([0, '', 'No releases.\n']);
  });

  it('speaks Chinese when asked, or when the terminal does', async () => {
    const { name } = await waitingRelease();
    expect((await run(['status', name, '--lang', 'zh'])).stdout).toContain('进行中');
    expect((await run(['status', name], { LANG: 'zh_CN.UTF-8' })).stdout).toContain('进行中');
    expect((await run(['status', 'sample/none', '--lang', 'zh'])).stderr).toContain('没有该发布 (UnknownRelease)');
  });

  it('names what there is when it is asked for what there is not', async () => {
    const results = await Promise.all([
      run(['lanes', 'nosuch']),
      run(['lanes', '--environment', 'moon']),
      run(['release', 'nosuch', '--ref', 'main']),
      run(['release', 'sample', '--ref', 'main', '--until', 'moon']),
      run(['list', '--outcome', 'nonsense']),
    ]);
    expect(results.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
    const { services, environments } = rig.configuration;
    const servicesThere = `nosuch is not configured; the services are: ${Object.keys(services).join(', ')}`;
    const environmentsThere = `moon is not configured; the environments are: ${Object.keys(environments).join(', ')}`;
    expect(results.map(({ stderr }) => stderr)).toEqual([
      expect.stringContaining(servicesThere),
      expect.stringContaining(environmentsThere),
      expect.stringContaining(servicesThere),
      expect.stringContaining(environmentsThere),
      expect.stringContaining('Allowed choices are released, rolled-back, failed, aborted, running'),
    ]);
  });

  it('tells usage errors, missing tokens, wrong tokens and an API that is away apart', async () => {
    const results = await Promise.all([
      run(['release', 'sample']),
      run(['release', 'sample', '--ref', 'a', '--bundle', 'b']),
      run(['status', 'nonsense']),
      run(['release', 'sample', '--ref', '-x']),
      run(['status', 'sample/k1'], { SLIPWAY_TOKEN: '' }),
      run(['status', 'sample/k1'], { SLIPWAY_TOKEN: 'wrong' }),
      run(['status', 'sample/none']),
      run(['status', 'sample/k1', '--api', 'http://127.0.0.1:1']),
    ]);
    expect(results.map(({ code }) => code)).toEqual([2, 2, 2, 2, 4, 4, 2, 1]);
    for (const { stdout, stderr } of results) {
      expect(stdout).toBe('');
      expect(stderr).not.toBe('');
      expect(stderr).not.toMatch(/at .*\.ts:\d+/);
    }
  });
});
