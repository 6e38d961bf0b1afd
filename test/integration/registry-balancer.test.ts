/** `deploy/registry/`: two real registries on one storage behind the real balancer, and the read-only switch. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RegistryClient } from '../../activities/registry/client.ts';
import { answerOf } from '../../local/platform/answers.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { Supervisor, Wave } from '../../local/platform/supervisor.ts';
import { until } from '../../local/platform/until.ts';
import { CommandError, runCommand } from '../../local/toolbox/run-command.ts';
import { ensureToolbox } from '../../local/toolbox/toolbox.ts';

jest.setTimeout(180_000);

const deploy = join(dirname(dirname(import.meta.dirname)), 'deploy', 'registry');
const root = mkdtempSync(join(tmpdir(), 'slipway-registry-'));
const storage = join(root, 'storage');
const firstPort = await freePortBlock(6);
const [address = '', replica1 = '', replica2 = '', server1 = '', server2 = '', runtime = ''] = Array.from(
  { length: 6 },
  (_, index) => `127.0.0.1:${firstPort + index}`,
);
const registryEnvironment = { REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: storage, REGISTRY_HTTP_SECRET: 'of both' };
let supervisor: Supervisor;
let registry = '';

const sha256 = (content: Buffer | string) => `sha256:${createHash('sha256').update(content).digest('hex')}`;
const setMode = (mode: string) =>
  runCommand(process.execPath, [join(deploy, 'registry-mode.ts'), runtime, mode], { timeoutMs: 60_000 });
const collect = () =>
  runCommand(registry, ['garbage-collect', join(deploy, 'config.yml')], {
    timeoutMs: 60_000,
    env: registryEnvironment,
  });

/** Opens an upload of a blob; answers with the status, and the address to go on with. */
async function openUpload(at = address): Promise<{ status: number; location: string }> {
  const answer = await fetch(`http://${at}/v2/sample/blobs/uploads/`, { method: 'POST' });
  return { status: answer.status, location: answer.headers.get('location') ?? '' };
}

/** Pushes a blob as docker does: open, send, close. Each call may reach the other registry. */
async function pushBlob(content: Buffer): Promise<void> {
  const { location } = await openUpload();
  const sent = await fetch(location, { method: 'PATCH', body: new Uint8Array(content) });
  expect(sent.status).toBe(202);
  const closed = new URL(sent.headers.get('location') ?? '');
  closed.searchParams.set('digest', sha256(content));
  expect((await fetch(closed, { method: 'PUT' })).status).toBe(201);
}

beforeAll(async () => {
  mkdirSync(join(storage, 'docker/registry/v2/repositories'), { recursive: true });
  const toolbox = await ensureToolbox(['haproxy', 'docker-registry'], () => {});
  registry = toolbox.path('docker-registry');
  supervisor = await Supervisor.open({ dir: join(root, 'platform'), log: () => {} });
  const registries = [server1, server2].map((listen, index) =>
    supervisor.add(Wave.systems, {
      name: `registry-${index + 1}`,
      command: registry,
      args: ['serve', join(deploy, 'config.yml')],
      env: { ...registryEnvironment, REGISTRY_HTTP_ADDR: listen },
      ready: async () => void (await answerOf(`http://${listen}/v2/`)),
      readyWithinMs: 60_000,
      stopWithinMs: 5_000,
    }),
  );
  const balancer = supervisor.add(Wave.systems, {
    name: 'balancer',
    command: toolbox.path('haproxy'),
    args: ['-W', '-db', '-C', deploy, '-f', 'haproxy.cfg'],
    env: {
      REGISTRY_ADDRESS: address,
      REGISTRY_REPLICA_1: replica1,
      REGISTRY_REPLICA_2: replica2,
      REGISTRY_SERVER_1: server1,
      REGISTRY_SERVER_2: server2,
      REGISTRY_RUNTIME: runtime,
    },
    ready: async () => void (await answerOf(`http://${address}/v2/`)),
    readyWithinMs: 60_000,
    stopWithinMs: 5_000,
  });
  await Promise.all([...registries, balancer].map((each) => each.start()));
});

afterAll(async () => {
  await supervisor?.stop();
  rmSync(root, { recursive: true, force: true });
});

describe('two registries behind one address', () => {
  it('take the parts of one upload in turns, and both have the result', async () => {
    const content = Buffer.from('pushed by way of both');
    await pushBlob(content);
    for (const at of [address, replica1, replica2]) {
      const answer = await fetch(`http://${at}/v2/sample/blobs/${sha256(content)}`);
      expect(await answer.text()).toBe(content.toString());
    }
  });

  it('are read-only together, at every address, until they are switched back', async () => {
    const content = Buffer.from('read while read-only');
    await pushBlob(content);
    await setMode('read-only');
    for (const at of [address, replica1, replica2]) {
      expect(await new RegistryClient({ address: at }).takesPushes('sample')).toBe(false);
      expect((await fetch(`http://${at}/v2/sample/blobs/${sha256(content)}`)).status).toBe(200);
    }
    expect((await fetch(`http://${address}/v2/sample/manifests/${sha256('x')}`, { method: 'DELETE' })).status).toBe(
      405,
    );
    await setMode('read-only');
    await setMode('read-write');
    for (const at of [address, replica1, replica2]) {
      expect(await new RegistryClient({ address: at }).takesPushes('sample')).toBe(true);
    }
  });

  it('become read-only only when the running writes have ended', async () => {
    const { location } = await openUpload();
    const upload = request(location, { method: 'PATCH', headers: { 'content-type': 'application/octet-stream' } });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      upload.on('response', (response) => resolve(response.resume().statusCode));
      upload.on('error', reject);
    });
    upload.write('the first half, ');
    await until('the upload to have reached a registry', async () => expect(await writesRunning()).toBe(1), {
      withinMs: 45_000,
    });
    let ended = false;
    const switched = setMode('read-only').finally(() => {
      ended = true;
    });
    await until('new writes to be refused', async () => expect((await openUpload()).status).toBe(405), {
      withinMs: 45_000,
    });
    expect(ended).toBe(false);
    upload.end('the second half');
    expect(await answered).toBe(202);
    await switched;
    await setMode('read-write');
  });

  it('take a layer again that a collection has removed', async () => {
    const content = Buffer.from('a layer of no image');
    await pushBlob(content);
    await setMode('read-only');
    await collect();
    await setMode('read-write');
    for (const at of [address, replica1, replica2]) {
      expect((await fetch(`http://${at}/v2/sample/blobs/${sha256(content)}`, { method: 'HEAD' })).status).toBe(404);
    }
    await pushBlob(content);
    expect((await fetch(`http://${address}/v2/sample/blobs/${sha256(content)}`)).status).toBe(200);
  });

  it('tell a wrong mode and a balancer that does not answer', async () => {
    await expect(setMode('read')).rejects.toThrow(CommandError);
    const nowhere = runCommand(process.execPath, [join(deploy, 'registry-mode.ts'), '127.0.0.1:1', 'read-only'], {
      timeoutMs: 60_000,
    });
    await expect(nowhere).rejects.toThrow('the balancer of the registry at 127.0.0.1:1 did not answer');
  });
});

/** Writes on their way, as the balancer counts them. */
async function writesRunning(): Promise<number> {
  const [host, port] = runtime.split(':');
  const socket = createConnection({ host, port: Number(port) });
  socket.end('show stat\n');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  const row = answer.split('\n').find((line) => line.startsWith('writes,BACKEND,'));
  return Number(row?.split(',')[4]);
}
