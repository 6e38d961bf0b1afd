/** Real builder processes build the sample service: a real engine, registry, repository and Temporal server. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { Connection, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { builderTask } from '../../activities/build/builder-task.ts';
import type { BuilderEnd } from '../../activities/build/run-builder.ts';
import { readTag } from '../../domain/image-tag.ts';
import type { Manifest } from '../../domain/manifest.ts';
import { parseManifest } from '../../domain/schemas/manifest.ts';
import { ensureBaseImage } from '../../local/base-image/base-image.ts';
import { dockerEngine } from '../../local/platform/docker.ts';
import { until } from '../../local/platform/until.ts';
import { createSampleRepository, type SampleRepository } from '../../local/sample/repository.ts';
import { ensureToolbox } from '../../local/toolbox/toolbox.ts';
import { type BuildInput, type BuildResult, TASK_QUEUE, WorkflowType } from '../../workflows/contract.ts';
import { startWorkflowRig, type WorkflowRig } from '../workflow-rig.ts';
import { type RegistryRig, startRegistryRig } from './registry-rig.ts';

jest.setTimeout(300_000);

const workshop = dirname(dirname(import.meta.dirname));
let registry: RegistryRig;
let rig: WorkflowRig;
let sample: SampleRepository;
/** The first commit of the sample service. */
let commit: string;
/** Which repository builders are given. */
let repository: string;
let socket: string;
let address: string;

/** Builders that were started, newest last. */
const builders: { readonly id: string; readonly sandbox: string; readonly process: ChildProcess; end?: string }[] = [];

/** Starts the process that a Mesos agent would start; killed as Mesos does it. */
function startBuilder(builderId: string, environment: Readonly<Record<string, string>> = {}) {
  const task = builderTask(
    {
      temporal: { address, namespace: 'default' },
      registry: { address: registry.address },
      builder: {
        command: [process.execPath, join(workshop, 'workers/builder.ts')],
        docker: socket,
        cpus: 1,
        memoryMiB: 512,
        startSeconds: 60,
      },
      services: { sample: { repository } },
    },
    { builderId, service: 'sample' },
  );
  const sandbox = join(registry.directory, 'sandboxes', builderId);
  mkdirSync(sandbox, { recursive: true });
  const [program = '', ...args] = task.command;
  const child = spawn(program, args, {
    cwd: sandbox,
    env: { PATH: process.env['PATH'], ...task.environment, MESOS_SANDBOX: sandbox, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(join(sandbox, 'stdout'));
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const builder: (typeof builders)[number] = { id: builderId, sandbox, process: child };
  child.once('exit', (code, signal) => {
    builder.end = signal ?? `exit code ${code}`;
  });
  builders.push(builder);
  return builder;
}

const ended = (builder: (typeof builders)[number]) =>
  until(`builder ${builder.id} to end`, () => expect(builder.end).toBeDefined(), { withinMs: 90_000 });

/** What Mesos would do with a builder, on this machine. */
async function runBuilder({ builderId }: { builderId: string }): Promise<BuilderEnd> {
  const builder = startBuilder(builderId);
  const beat = setInterval(() => Context.current().heartbeat(), 500);
  const told = Context.current().cancelled.catch(() => builder.process.kill('SIGTERM'));
  await Promise.race([told, new Promise((resolve) => builder.process.once('exit', resolve))]);
  await ended(builder);
  clearInterval(beat);
  return { agent: { id: 'here', address: 'here:5051' }, state: 'TASK_KILLED', message: builder.end ?? '' };
}

beforeAll(async () => {
  registry = await startRegistryRig();
  const toolbox = await ensureToolbox(['docker', 'git', 'temporal-cli'], () => {});
  process.env['TEMPORAL_CLI_PATH'] ??= toolbox.path('temporal-cli');
  ({ socket } = await dockerEngine(registry.supervisor, toolbox));
  await ensureBaseImage(registry.address);
  sample = await createSampleRepository(join(registry.directory, 'sample.git'), { nodeVersion: process.versions.node });
  commit = await sample.push('first');
  rig = await startWorkflowRig(
    { runBuilder, readBuilderStart: async () => ({ startSeconds: 120 }) },
    { server: 'dev' },
  );
  const { connection } = rig.client;
  if (!(connection instanceof Connection)) throw new Error('the rig must have a connection of its own');
  address = connection.options.address;
});

beforeEach(() => {
  repository = sample.path;
});

afterEach(async () => {
  for (const builder of builders.splice(0)) {
    if (builder.end === undefined) builder.process.kill('SIGKILL');
    await ended(builder);
  }
});

afterAll(async () => {
  await rig?.stop();
  await registry?.stop();
});

function manifestOf(sandboxOrCommit: string): Manifest {
  const reading = parseManifest(sandboxOrCommit);
  if (!reading.ok) throw new Error(JSON.stringify(reading.errors));
  return reading.manifest;
}
const MANIFEST = manifestOf(readFileSync(join(workshop, 'local/sample/service/slipway.yaml'), 'utf8'));

function startBuild(key: string, commit: string, over: Partial<BuildInput> = {}) {
  const { build, tests, version } = MANIFEST;
  return rig.client.start<(input: BuildInput) => Promise<BuildResult>>(WorkflowType.Build, {
    workflowId: `build/sample/${key}`,
    taskQueue: TASK_QUEUE,
    args: [{ service: 'sample', key, commit, version, build, tests, ...over }],
  });
}

const imageSchema = z.looseObject({
  layers: z.array(z.looseObject({ digest: z.string() })),
  config: z.looseObject({ digest: z.string() }),
});
const configSchema = z.looseObject({ config: z.looseObject({ Labels: z.record(z.string(), z.string()) }) });
async function imageOf(repository: string, digest: string) {
  const manifest = await registry.client.getManifest(repository, digest);
  return imageSchema.parse(JSON.parse(manifest?.bytes.toString('utf8') ?? '{}'));
}

/** Waits until the n-th builder runs the unit tests. */
function unitTestsOf(index: number): Promise<void> {
  const log = () => join(builders[index]?.sandbox ?? '/nowhere', 'logs/unit-test.log');
  return until('unit tests to run', () => expect(existsSync(log())).toBe(true), { withinMs: 150_000, everyMs: 10 });
}

/** Names of the processes that work in a builder's checkout. */
function processesIn(sandbox: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      if (!readlinkSync(`/proc/${pid}/cwd`).startsWith(join(sandbox, 'checkout'))) return [];
      return [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()];
    } catch {
      // No process, or one that has just ended.
      return [];
    }
  });
}

/** Makes a bare repository of one commit, and answers with it. */
function createRepository(bare: string, files: Readonly<Record<string, string>>): string {
  const work = `${bare}.work`;
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', work, '-c', 'user.name=Ann', '-c', 'user.email=ann@example.invalid', ...args], {
      encoding: 'utf8',
    }).trim();
  mkdirSync(work);
  git('init', '--quiet');
  for (const [path, content] of Object.entries(files)) writeFileSync(join(work, path), content);
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Begin');
  git('clone', '--quiet', '--bare', work, bare);
  return git('rev-parse', 'HEAD');
}

describe('a builder', () => {
  it('makes, from one commit, the same layers twice; images are in the registry by the digests it tells', async () => {
    const first = await (await startBuild('one', commit)).result();
    expect(first.stages.map(({ stage }) => stage)).toEqual([
      'checkout',
      'unit-test',
      'image',
      'image-contract',
      'push',
      'push-contract',
    ]);
    const image = await imageOf('sample', first.image.digest);
    const config = await registry.client.getJsonBlob('sample', image.config.digest, configSchema);
    expect(config?.config.Labels).toMatchObject({
      'org.opencontainers.image.revision': commit,
      'org.opencontainers.image.version': '1.0.0',
    });
    expect(
      (await imageOf('sample/test/contract', first.testImages['contract']?.digest ?? '')).layers.length,
    ).toBeGreaterThan(1);
    expect((await registry.client.listTags('sample')).map((tag) => readTag(tag).kind)).toEqual(['candidate']);

    const [builder] = builders;
    expect(readdirSync(join(builder?.sandbox ?? '', 'logs')).sort()).toEqual(
      ['image', 'image-contract', 'push', 'push-contract', 'unit-test'].map((stage) => `${stage}.log`).sort(),
    );
    expect(readFileSync(join(builder?.sandbox ?? '', 'logs/unit-test.log'), 'utf8')).toMatch(
      /# pass [1-9]|ℹ pass [1-9]/,
    );
    expect(builder?.end).toBe('exit code 0');

    const second = await (await startBuild('two', commit)).result();
    expect((await imageOf('sample', second.image.digest)).layers).toEqual(image.layers);
  });

  it('fails with the log of the unit tests when they fail, and nothing is pushed', async () => {
    const unbuildable = await sample.push('unbuildable');
    const before = await registry.client.listTags('sample');
    const failed = await (await startBuild('bad', unbuildable)).result().catch((error: unknown) => error);
    if (!(failed instanceof WorkflowFailedError)) throw new Error(`the build must fail: ${String(failed)}`);
    const cause = failed.cause?.cause;
    if (!(cause instanceof ApplicationFailure)) throw new Error(`no failure of an activity: ${String(failed.cause)}`);
    expect([cause.type, cause.details?.[0]]).toEqual([
      'BuildFailed',
      { stage: 'unit-test', logTail: expect.stringContaining('every good has a price') },
    ]);
    expect(await registry.client.listTags('sample')).toEqual(before);
    expect(builders.map(({ end }) => end)).toEqual(['exit code 0']);
  });

  it('fails with what the engine says when the Dockerfile is wrong', async () => {
    const build = { ...MANIFEST.build, dockerfile: 'src/main.js' };
    const failed = await (await startBuild('dockerfile', commit, { build })).result().catch((error: unknown) => error);
    const cause = failed instanceof WorkflowFailedError ? failed.cause?.cause : undefined;
    expect(cause instanceof ApplicationFailure ? [cause.type, cause.message] : failed).toEqual([
      'BuildFailed',
      expect.stringContaining('build stage image failed'),
    ]);
  });

  it('is replaced when it is killed in a stage', async () => {
    const handle = await startBuild('killed', commit);
    await unitTestsOf(0);
    builders[0]?.process.kill('SIGKILL');
    const result = await handle.result();
    expect(builders).toHaveLength(2);
    expect(result.builder).toBe(builders[1]?.id);
  });

  it('leaves nothing running when it is told to leave in a stage', async () => {
    repository = join(registry.directory, 'slow.git');
    const slow = createRepository(repository, { 'package.json': '{ "scripts": { "test": "sleep 600" } }' });
    const handle = await startBuild('cancelled', slow);
    await unitTestsOf(0);
    const sandbox = builders[0]?.sandbox ?? '';
    await until('the tests to run', () => expect(processesIn(sandbox)).toContain('sleep'), { withinMs: 60_000 });
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect(builders.map(({ end }) => end)).toEqual(['exit code 0']);
    expect(processesIn(sandbox)).toEqual([]);
  });

  it('leaves by itself when nobody gives it work', async () => {
    const builder = startBuilder('lonely', { SLIPWAY_BUILDER_IDLE_SECONDS: '1' });
    await ended(builder);
    expect(builder.end).toBe('exit code 0');
    expect(readFileSync(join(builder.sandbox, 'stdout'), 'utf8')).toContain('had no work for 1 s');
  });

  it('says what it misses when it is started by hand', async () => {
    const builder = startBuilder('by-hand', { SLIPWAY_REGISTRY: '' });
    await ended(builder);
    expect(builder.end).toBe('exit code 1');
    expect(readFileSync(join(builder.sandbox, 'stdout'), 'utf8')).toContain('SLIPWAY_REGISTRY');
  });
});
