/** The collection of garbage on two real registries, its machine's work done by a real node worker that is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { stringify } from 'yaml';
import { createLaneActivities } from '../../activities/lane/activities.ts';
import { createRegistryActivities } from '../../activities/registry/activities.ts';
import { candidateTag } from '../../domain/image-tag.ts';
import { until } from '../../local/platform/until.ts';
import { ensureToolbox } from '../../local/toolbox/toolbox.ts';
import type { collectGarbage } from '../../workflows/collect-garbage.ts';
import { TASK_QUEUE, WorkflowType } from '../../workflows/contract.ts';
import { startWorkflowRig, type WorkflowRig } from '../workflow-rig.ts';
import { MANIFEST } from '../workflows/world.ts';
import { type PushedImage, pushImage, type RegistryRig, startRegistryRig } from './registry-rig.ts';

jest.setTimeout(300_000);

const workshop = dirname(dirname(import.meta.dirname));
const LAYER_BYTES = 200_000;
const COLLECT_HELD = 'hold-the-collection';
let registry: RegistryRig;
let rig: WorkflowRig;
let node: ChildProcess | undefined;
let running: PushedImage;

const file = (name: string) => join(registry.directory, name);

/** A configuration for the node worker; only what it reads has to be true. */
function writeConfiguration(address: string): void {
  const port = 1;
  // Waits, where a test asks for it, so that the worker can be killed while the registry collects.
  const collect = [
    '#!/bin/sh',
    `echo begun >> ${file('collections')}`,
    `while [ -e ${file(COLLECT_HELD)} ]; do sleep 0.05; done`,
    `exec ${registry.maintenance.collect.map((word) => `'${word}'`).join(' ')}`,
  ];
  writeFileSync(file('collect.sh'), collect.join('\n'));
  chmodSync(file('collect.sh'), 0o755);
  const document = {
    temporal: { address },
    consul: { url: `http://127.0.0.1:${port}`, dns: `127.0.0.1:${port}` },
    registry: {
      address: registry.address,
      replicas: registry.replicas,
      host: 'here',
      maintenance: { ...registry.maintenance, collect: [file('collect.sh')] },
    },
    influx: { url: `http://127.0.0.1:${port}`, database: 'slipway' },
    mesos: { master: `http://127.0.0.1:${port}` },
    balancers: { main: { runtime: [`127.0.0.1:${port}`] } },
    environments: {
      prod: {
        tier: 'production',
        marathon: { url: `http://127.0.0.1:${port}` },
        agentAttribute: 'env:prod',
        balancer: { name: 'main', address: '127.0.0.1', port },
      },
    },
    builder: { attribute: 'role:ci', command: ['true'], docker: '/nowhere', cpus: 1, memoryMiB: 32, startSeconds: 1 },
    services: { sample: { repository: '/nowhere' } },
    ledger: { directory: file('ledger') },
    api: {
      listen: `127.0.0.1:${port}`,
      url: `http://127.0.0.1:${port}`,
      tokens: [{ name: 'ann', token: { env: 'PATH' } }],
    },
    schedules: { autoscale: { everySeconds: 5, windowSeconds: 5 }, collectGarbage: { everySeconds: 3600 } },
  };
  writeFileSync(file('slipway.config.yaml'), stringify(document));
}

function startNode(): ChildProcess {
  const { NODE_OPTIONS: _, ...env } = process.env;
  node = spawn(process.execPath, [join(workshop, 'workers/node.ts')], {
    env: { ...env, SLIPWAY_CONFIG: file('slipway.config.yaml'), SLIPWAY_HOST: 'here' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return node;
}

async function kill(signal: NodeJS.Signals): Promise<void> {
  const ended = new Promise((resolve) => node?.once('exit', resolve));
  if (node === undefined || node.exitCode !== null || node.signalCode !== null) return;
  node.kill(signal);
  await ended;
}

beforeAll(async () => {
  registry = await startRegistryRig();
  const toolbox = await ensureToolbox(['temporal-cli'], () => {});
  process.env['TEMPORAL_CLI_PATH'] ??= toolbox.path('temporal-cli');
  rig = await startWorkflowRig(
    {
      ...createRegistryActivities(registry),
      readRetentionRules: async () => ({
        services: [{ service: 'sample', branch: 'main' }],
        graceSeconds: 3600,
        host: 'here',
      }),
      resolveCommit: async () => ({ commit: 'c'.repeat(40), subject: '', author: '' }),
      readManifest: async () => ({ manifest: { ...MANIFEST, retention: { keepReleases: 1 } }, digest: '' }),
      readEnvironments: async () => [{ name: 'prod' }],
      listRevisions: async () => [{ revision: 'r1', image: `${registry.address}/sample@${running.digest}` }],
      readLanes: async () => [],
      listRunningReleases: async () => [],
      describeHolder: (input: { holder: string }) => createLaneActivities(rig.client).describeHolder(input),
    },
    { server: 'dev' },
  );
  const { connection } = rig.client;
  if (!(connection instanceof Connection)) throw new Error('the rig must have a connection of its own');
  writeConfiguration(connection.options.address);
});

beforeEach(async () => {
  rmSync(file('collections'), { force: true });
  const options = { created: '2026-01-01T00:00:00Z', bytes: LAYER_BYTES };
  const push = (repository: string, tag: string) => pushImage(registry.address, repository, tag, options);
  running = await push('sample', 'v1.0.0');
  await push('sample', 'v1.1.0');
  await push('sample', 'v1.2.0');
  await push('sample', candidateTag('2026-01-01T00:00:00Z', 'build/sample/old'));
  await push('sample', candidateTag(new Date().toISOString(), 'build/sample/new'));
});

afterEach(() => kill('SIGTERM'));
afterAll(async () => {
  await rig?.stop();
  await registry?.stop();
});

const start = (key: string) =>
  rig.client.start<typeof collectGarbage>(WorkflowType.CollectGarbage, {
    workflowId: `collect-garbage/${key}`,
    taskQueue: TASK_QUEUE,
    args: [{ services: [], dryRun: false }],
  });

/** What has to be true after every collection. */
async function expectGoodEnd(): Promise<void> {
  const tags = await registry.client.listTags('sample');
  const kept = ['v1.0.0', 'v1.2.0'];
  expect(tags.filter((tag) => tag.startsWith('v'))).toEqual(kept);
  expect(tags.filter((tag) => tag.startsWith('build-20260101'))).toEqual([]);
  for (const tag of kept) {
    const manifest = await registry.client.getManifest('sample', tag);
    const { layers } = JSON.parse(manifest?.bytes.toString('utf8') ?? '{}') as { layers: { digest: string }[] };
    const layer = await fetch(`http://${registry.address}/v2/sample/blobs/${layers[0]?.digest}`);
    expect((await layer.arrayBuffer()).byteLength).toBe(LAYER_BYTES);
  }
  await pushImage(registry.address, 'sample', 'customer');
}

/** How many processes hold or want the lock of the commands of this registry. */
function waitingForTheLock(): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return line.startsWith('flock') && line.includes(file('collect.sh'));
    } catch {
      // No process, or one that has just ended.
      return false;
    }
  }).length;
}

it('wins the bytes of what it deleted, keeps what runs, what is new and what is young', async () => {
  startNode();
  const result = await (await start('plain')).result();
  expect(result).toMatchObject({ tagsDeleted: 2, digestsDeleted: 2, skipped: [] });
  expect(result.bytesReclaimed).toBeGreaterThanOrEqual(2 * LAYER_BYTES);
  const reasons = new Map(result.kept.map(({ digest, reasons }) => [digest, reasons]));
  expect(reasons.get(running.digest)).toEqual(['r1 in prod runs it']);
  await expectGoodEnd();
});

it('ends read-write although its machine is lost in the middle of the collection', async () => {
  writeFileSync(file(COLLECT_HELD), '');
  startNode();
  const handle = await start('killed');
  await until('the collection to begin', () => expect(existsSync(file('collections'))).toBe(true), {
    withinMs: 120_000,
  });
  await expect(pushImage(registry.address, 'sample', 'meanwhile')).rejects.toThrow('405');
  await kill('SIGKILL');
  startNode();
  // The killed worker's collection still runs. The next attempt must neither run beside it nor end before it.
  await until('the next attempt to wait for its turn', () => expect(waitingForTheLock()).toBe(2), {
    withinMs: 120_000,
  });
  expect(readFileSync(file('collections'), 'utf8')).toBe('begun\n');
  rmSync(file(COLLECT_HELD));
  expect(await handle.result()).toMatchObject({ tagsDeleted: 2 });
  expect(readFileSync(file('collections'), 'utf8')).toBe('begun\nbegun\n');
  await expectGoodEnd();
});
