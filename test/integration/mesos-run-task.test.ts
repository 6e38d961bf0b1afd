/** One task as a framework of its own, on both kinds of Mesos. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OperatorClient } from '../../activities/mesos/operator-client.ts';
import {
  NoFittingOfferError,
  type RunTaskOptions,
  type RunTaskProgress,
  readTaskFile,
  runTask,
} from '../../activities/mesos/run-task.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { type CellProcess, startCell } from './mesos-cell-process.ts';
import { until } from './mesos-until.ts';

jest.setTimeout(180_000);

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'slipway-run-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

let master: string;

type Change = Partial<Omit<RunTaskOptions, 'task'>> & { readonly line?: string };

function options({ line = 'exit 0', ...change }: Change = {}): RunTaskOptions & { readonly seen: RunTaskProgress[] } {
  const seen: RunTaskProgress[] = [];
  return {
    master,
    frameworkName: 'test',
    task: {
      name: 'job',
      command: { value: line },
      environment: { GREETING: 'hello' },
      resources: { cpus: 0.1, mem: 32 },
      killGraceMs: 500,
    },
    attributes: { role: 'ci' },
    failoverTimeoutSeconds: 600,
    offerTimeoutMs: 60_000,
    onProgress: (progress) => seen.push(progress),
    signal: new AbortController().signal,
    seen,
    ...change,
  };
}

/** Counts its starts in a file, then waits until it may end. */
const counted = () => `echo started >> ${scratch}/starts; while [ ! -e ${scratch}/go ]; do sleep 0.05; done; exit 4`;
const starts = () =>
  existsSync(`${scratch}/starts`) ? readFileSync(`${scratch}/starts`, 'utf8').trim().split('\n').length : 0;
const mayEnd = () => writeFileSync(`${scratch}/go`, '');

const operator = () => new OperatorClient({ master, timeoutMs: 20_000 });
const frameworkIsGone = (id: string) =>
  until(`framework ${id} is gone`, 60_000, async () =>
    (await operator().getState()).get_frameworks.frameworks.every(
      ({ framework_info }) => framework_info.id?.value !== id,
    ),
  );

/** Runs a task in a process of its own until a progress that satisfies, then kills that process. */
async function diesAfter(
  task: RunTaskOptions,
  enough: (progress: RunTaskProgress) => boolean | Promise<boolean>,
): Promise<RunTaskProgress[]> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const worker = spawn(
    process.execPath,
    [join(import.meta.dirname, 'mesos-run-task-launcher.ts'), JSON.stringify(task)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env,
    },
  );
  const told: RunTaskProgress[] = [];
  for await (const line of createInterface({ input: worker.stdout })) {
    told.push(JSON.parse(line) as RunTaskProgress);
    if (await enough(told.at(-1) as RunTaskProgress)) worker.kill('SIGKILL');
  }
  return told;
}

/** Of a task that fits no offer of either agent. Where they did not come in time it is tried again. */
const refusal = (task: RunTaskOptions): Promise<NoFittingOfferError> =>
  until('both agents to be offered in time', 60_000, async () => {
    const failure = await runTask(task).catch((error: unknown) => error);
    if (!(failure instanceof NoFittingOfferError)) throw failure;
    return failure.offers.length === AGENTS.length ? failure : undefined;
  });

const running = ({ state, sandbox }: RunTaskProgress) => state === 'TASK_RUNNING' && sandbox !== undefined;

const resume = (progress: RunTaskProgress | undefined): Change => (progress === undefined ? {} : { resume: progress });

const AGENTS = [
  { name: 'fat-1', attributes: 'env:fat' },
  { name: 'ci-1', attributes: 'role:ci' },
];

describeOnEachMesos('runTask', { agents: AGENTS }, (under) => {
  beforeAll(() => {
    master = under.mesos.masterUrl;
  });

  under.it('runs to its end, and its files can be read afterwards', async () => {
    const run = options({ line: 'echo $GREETING; echo "<ok/>" > junit.xml' });
    const result = await runTask(run);
    expect(result).toMatchObject({ state: 'TASK_FINISHED', exitCode: 0, warnings: [] });
    expect((await readTaskFile(result, 'junit.xml'))?.toString()).toBe('<ok/>\n');
    expect((await readTaskFile(result, 'stdout'))?.toString()).toContain('hello\n');
    expect(await readTaskFile(result, 'no-such-file')).toBeUndefined();
    await frameworkIsGone(result.frameworkId);
    const states = run.seen.map(({ state }) => state);
    expect([states[0], states[1], states.at(-1)]).toEqual(['WAITING', 'TASK_STAGING', 'TASK_FINISHED']);
    expect(new Set(run.seen.map(({ frameworkId, taskId }) => frameworkId + taskId)).size).toBe(1);
  });

  under.it('gives a failed task as a result', async () => {
    expect(await runTask(options({ line: 'exit 3' }))).toMatchObject({ state: 'TASK_FAILED', exitCode: 3 });
  });

  under.it('says what was asked and what was offered when nothing fits', async () => {
    const attributes = { role: 'ci', rack: 'none' };
    const failure = await refusal(options({ attributes, offerTimeoutMs: 6_000 }));
    expect(failure).toMatchObject({ type: 'CapacityExhausted', nonRetryable: false });
    expect(String(failure)).toMatch(/Asked for role:ci;rack:none; .*\(role:ci\): no attribute rack/);
    expect(String(failure)).toMatch(/\(env:fat[^)]*\): no attribute role/);
  });

  under.it('does not use excluded agents', async () => {
    const agents = await operator().getAgents();
    const ci = agents.find(({ agent_info }) => agent_info.attributes.some(({ text }) => text?.value === 'ci'));
    const excludeAgents = [ci?.agent_info.id.value ?? ''];
    const failure = await refusal(options({ excludeAgents, offerTimeoutMs: 6_000 }));
    expect(String(failure)).toMatch(/the agent is excluded/);
  });

  under.it('is taken up by another process when the first one dies, and started once', async () => {
    const run = options({ line: counted() });
    const told = await diesAfter(run, running);
    const resumed = options({ line: counted(), ...resume(told.at(-1)) });
    const ending = runTask(resumed);
    await until('the task was found again', 60_000, () => resumed.seen.find(({ state }) => state === 'TASK_RUNNING'));
    mayEnd();
    expect(await ending).toMatchObject({ state: 'TASK_FAILED', exitCode: 4, taskId: told[0]?.taskId });
    expect(starts()).toBe(1);
  });

  under.it('is found again even if only the first progress was kept', async () => {
    const told = await diesAfter(options({ line: counted() }), running);
    expect(told[0]?.state).toBe('WAITING');
    mayEnd();
    expect(await runTask(options({ line: counted(), ...resume(told[0]) }))).toMatchObject({ exitCode: 4 });
    expect(starts()).toBe(1);
  });

  under.it('is found again when it has ended meanwhile, even if only the id of its framework was kept', async () => {
    const frameworkId = randomUUID();
    const leave = new AbortController();
    let taskId = '';
    const onProgress = (progress: RunTaskProgress) => {
      taskId = progress.taskId;
      // It leaves when it has acknowledged this, so that Mesos goes on to the next update.
      if (running(progress)) leave.abort(new Error('left'));
    };
    await expect(runTask(options({ line: counted(), frameworkId, leave: leave.signal, onProgress }))).rejects.toThrow(
      'left',
    );
    mayEnd();
    await until(
      'Mesos knows its end',
      60_000,
      async () => (await operator().findTask(frameworkId, taskId))?.state === 'TASK_FAILED',
    );
    expect(await runTask(options({ line: counted(), frameworkId }))).toMatchObject({ exitCode: 4, taskId });
    expect(starts()).toBe(1);
  });

  under.it('is started by the second process when the first died before it could', async () => {
    const told = await diesAfter(options({ attributes: { role: 'none' } }), ({ state }) => state === 'WAITING');
    mayEnd();
    expect(await runTask(options({ line: counted(), ...resume(told.at(-1)) }))).toMatchObject({ exitCode: 4 });
    expect(starts()).toBe(1);
  });

  under.it('is not run again when it had ended and only the answer got lost', async () => {
    mayEnd();
    const run = options({ line: counted() });
    const first = await runTask(run);
    const again = await runTask(options({ line: counted(), ...resume(run.seen.at(-1)) }));
    expect(again).toMatchObject({ state: 'TASK_FAILED', exitCode: 4, taskId: first.taskId });
    expect(starts()).toBe(1);
  });

  under.it('starts anew when Mesos has removed the framework meanwhile', async () => {
    // Mesos says that it runs as soon as there is a process, which may be killed before it has done anything.
    const started = async (progress: RunTaskProgress) =>
      running(progress) && until('the line has begun', 45_000, () => starts() === 1);
    const told = await diesAfter(options({ line: counted(), failoverTimeoutSeconds: 0 }), started);
    await frameworkIsGone(told[0]?.frameworkId ?? '');
    mayEnd();
    const result = await runTask(options({ line: counted(), ...resume(told.at(-1)) }));
    expect(result).toMatchObject({ exitCode: 4 });
    expect(result.taskId).not.toBe(told[0]?.taskId);
    expect(starts()).toBe(2);
  });

  under.it('goes on after such a removal where every other process finds it, knowing its first id only', async () => {
    const frameworkId = randomUUID();
    const first = options({ line: counted(), frameworkId, failoverTimeoutSeconds: 0 });
    await diesAfter(
      first,
      async (progress) => running(progress) && until('it has begun', 45_000, () => starts() === 1),
    );
    await frameworkIsGone(frameworkId);
    const again = options({ line: counted(), frameworkId });
    const told = await diesAfter(
      again,
      async (progress) => running(progress) && until('it has begun again', 45_000, () => starts() === 2),
    );
    expect(told.at(-1)?.frameworkId).toBe(`${frameworkId}~2`);
    mayEnd();
    const { taskId } = told.at(-1) ?? {};
    expect(await runTask(options({ line: counted(), frameworkId }))).toMatchObject({ exitCode: 4, taskId });
    expect(starts()).toBe(2);
  });

  under.it(
    'ends, when aborted from the beginning, what a process that died after such a removal has left',
    async () => {
      const frameworkId = randomUUID();
      const nowhere = { frameworkId, attributes: { role: 'none' } };
      const isThere = (id: string) => async () =>
        (await operator().getState()).get_frameworks.frameworks.some(
          ({ framework_info }) => framework_info.id?.value === id,
        );
      await diesAfter(options({ ...nowhere, failoverTimeoutSeconds: 0 }), () =>
        until('it is subscribed', 60_000, isThere(frameworkId)),
      );
      await frameworkIsGone(frameworkId);
      await diesAfter(options(nowhere), ({ frameworkId: id }) =>
        id === frameworkId ? false : until('its successor is subscribed', 60_000, isThere(id)),
      );
      const signal = AbortSignal.abort(new Error('enough'));
      await expect(runTask(options({ ...nowhere, signal }))).rejects.toThrow('enough');
      expect(await isThere(`${frameworkId}~2`)()).toBe(false);
    },
  );

  under.it('kills its task when aborted, and leaves nothing', async () => {
    const abort = new AbortController();
    const run = options({ line: counted(), signal: abort.signal });
    const ending = runTask(run);
    await until('it runs', 60_000, () => run.seen.find(running));
    abort.abort(new Error('enough'));
    await expect(ending).rejects.toThrow('enough');
    expect(run.seen.at(-1)?.state).toBe('TASK_KILLED');
    await frameworkIsGone(run.seen[0]?.frameworkId ?? '');
  });

  under.it('leaves nothing when aborted before there was an offer', async () => {
    const abort = new AbortController();
    const run = options({ attributes: { role: 'none' }, signal: abort.signal });
    const ending = runTask(run);
    await until('it is subscribed', 60_000, async () =>
      (await operator().getState()).get_frameworks.frameworks.some(
        ({ framework_info }) => framework_info.id?.value === run.seen[0]?.frameworkId,
      ),
    );
    abort.abort(new Error('enough'));
    await expect(ending).rejects.toThrow('enough');
    await frameworkIsGone(run.seen[0]?.frameworkId ?? '');
  });

  under.it('ends the older of two that run the same task', async () => {
    const first = options({ line: counted() });
    const older = runTask(first).catch((error: unknown) => error);
    await until('it runs', 60_000, () => first.seen.find(running));
    const newer = runTask(options(resume(first.seen.at(-1))));
    expect(String(await older)).toMatch(/Framework failed over|stream ID/);
    mayEnd();
    expect(await newer).toMatchObject({ exitCode: 4 });
    expect(starts()).toBe(1);
  });
});

describe('runTask on an embedded Mesos', () => {
  let cell: CellProcess;
  let stateDir: string;
  const start = () =>
    startCell({
      stateDir,
      allocationIntervalMs: 50,
      stopGraceMs: 500,
      agents: [{ name: 'ci-1', attributes: 'role:ci', cpus: 4, mem: 2048, portRange: [31300, 31399] }],
    });
  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'slipway-cell-'));
    cell = await start();
    master = cell.masterUrl;
  });
  afterAll(async () => {
    await cell.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('goes on through the death of the master and its agents', async () => {
    const run = options({ line: counted() });
    const ending = runTask(run);
    await until('it runs', 60_000, () => run.seen.find(running));
    await cell.crash();
    cell = await start();
    mayEnd();
    expect(await ending).toMatchObject({ state: 'TASK_FAILED', exitCode: 4 });
    expect(starts()).toBe(1);
  });
});
