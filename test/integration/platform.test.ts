import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { answerOf } from '../../local/platform/answers.ts';
import { frontendAnswers } from '../../local/platform/balancer.ts';
import { directoriesOf } from '../../local/platform/directories.ts';
import { PLATFORM_VARIABLE } from '../../local/platform/leftovers.ts';
import { mountPointsBelow } from '../../local/platform/mounts.ts';
import { freePort } from '../../local/platform/ports.ts';
import { processesWithEnvironment, startTimeOf } from '../../local/platform/process-identity.ts';
import { Supervisor } from '../../local/platform/supervisor.ts';
import { type Systems, startSystems } from '../../local/platform/systems.ts';
import { until } from '../../local/platform/until.ts';
import { runCommand } from '../../local/toolbox/run-command.ts';
import { ensureToolbox, PART_NAMES } from '../../local/toolbox/toolbox.ts';
import { SearchAttribute } from '../../workflows/contract.ts';

const START_WITHIN_MS = 240_000;

/** What is left of a platform on this machine. */
function remains(dir: string): { processes: number; mounts: readonly string[]; records: readonly string[] } {
  const { root, run } = directoriesOf(dir);
  return {
    processes: processesWithEnvironment(PLATFORM_VARIABLE, root).length,
    mounts: mountPointsBelow(root, readFileSync('/proc/self/mounts', 'utf8')),
    records: readdirSync(run).filter((file) => file.endsWith('.json')),
  };
}

const NOTHING = { processes: 0, mounts: [], records: [] };

describe('the systems of a platform', () => {
  let dir: string;
  let supervisor: Supervisor;
  let systems: Systems;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slipway-platform-'));
    supervisor = await Supervisor.open({ dir, log: () => {} });
    systems = await startSystems(supervisor, await ensureToolbox(PART_NAMES, () => {}));
  }, START_WITHIN_MS);

  afterAll(async () => {
    await supervisor.stop();
    expect(remains(dir)).toEqual(NOTHING);
    rmSync(dir, { recursive: true });
  }, START_WITHIN_MS);

  it('registers the search attributes in Temporal, keeps them over a restart, and serves its UI', async () => {
    const { address, namespace, process, uiUrl } = systems.temporal;
    await process.restart();
    const connection = await Connection.connect({ address });
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    await connection.close();
    expect(Object.keys(customAttributes)).toEqual(
      expect.arrayContaining(Object.values(SearchAttribute).map((attribute) => attribute.name)),
    );
    expect(await answerOf(uiUrl)).toContain('<html');
  });

  it('keeps the key-value store over a restart of Consul, and answers DNS', async () => {
    const { url, dns, process } = systems.consul;
    await answerOf(`${url}/v1/kv/kept`, { method: 'PUT', body: 'yes' });
    await answerOf(`${url}/v1/agent/service/register`, {
      method: 'PUT',
      body: JSON.stringify({ Name: 'web-prod', Address: '127.0.0.9', Port: 80 }),
    });
    await process.restart();
    expect(await answerOf(`${url}/v1/kv/kept?raw`)).toBe('yes');
    const resolver = new Resolver({ timeout: 10_000 });
    resolver.setServers([dns]);
    expect(await resolver.resolve4('web-prod.service.consul')).toEqual(['127.0.0.9']);
  });

  it('keeps what was written to InfluxDB', async () => {
    const { url, database } = systems.influx;
    await answerOf(`${url}/write?db=${database}`, { method: 'POST', body: 'balancer,service=web requests=7i' });
    const query = new URLSearchParams({ db: database, q: 'SELECT sum(requests) FROM balancer' });
    expect(await answerOf(`${url}/query?${query}`)).toContain(',7]');
  });

  it('has the base image in both registries, and an engine that runs it', async () => {
    const { engine, baseImage, registry } = systems;
    const { version } = process;
    for (const replica of registry.replicas) {
      expect(JSON.parse(await answerOf(`http://${replica}/v2/base/node/tags/list`))).toEqual({
        name: 'base/node',
        tags: [version.slice(1)],
      });
    }
    const pull: NodeJS.ReadableStream = await engine.client.pull(baseImage.reference);
    await new Promise<void>((resolve, reject) => {
      engine.client.modem.followProgress(pull, (error: Error | null) => (error === null ? resolve() : reject(error)));
    });
    const container = await engine.client.createContainer({
      Image: baseImage.reference,
      User: 'node',
      Cmd: [
        '/usr/local/bin/node',
        '--print',
        'process.version + " " + os.userInfo().username + fs.mkdtempSync("/tmp/x")',
      ],
      HostConfig: { NetworkMode: 'host' },
    });
    await container.start();
    expect(await container.wait()).toMatchObject({ StatusCode: 0 });
    const logs = await container.logs({ stdout: true, stderr: true });
    expect(logs.toString()).toContain(`${version} node/tmp/x`);
    await container.remove();
  });

  it('collects garbage between read-only and read-write', async () => {
    const { address, maintenance } = systems.registry;
    const upload = (): Promise<Response> => fetch(`http://${address}/v2/some/thing/blobs/uploads/`, { method: 'POST' });
    const run = async ([program = '', ...args]: readonly string[]): Promise<string> =>
      (await runCommand(program, args, { timeoutMs: 120_000 })).stdout;
    await run(maintenance.readOnly);
    expect((await upload()).status).toBe(405);
    expect(await run(maintenance.collect)).toContain('0 blobs and 0 manifests eligible for deletion');
    await run(maintenance.readWrite);
    expect((await upload()).status).toBe(202);
  });

  it('renders a frontend as soon as Consul knows an environment', async () => {
    const port = await freePort();
    await answerOf(`${systems.consul.url}/v1/kv/slipway/balancer/prod`, { method: 'PUT', body: `127.0.0.1:${port}` });
    await until('the frontend', () => frontendAnswers(port), { withinMs: 60_000 });
  });

  it('starts a killed engine again with its images', async () => {
    const { engine, baseImage } = systems;
    if (engine.process === undefined) {
      return; // The machine's own engine is not ours to kill.
    }
    await engine.process.kill9();
    await engine.process.start();
    expect((await engine.client.getImage(baseImage.reference).inspect()).Os).toBe('linux');
  });
});

describe('a launcher', () => {
  let dir: string;
  const launchers: ChildProcessByStdio<null, Readable, Readable>[] = [];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'slipway-launcher-'));
  });

  afterEach(async () => {
    for (const launcher of launchers.splice(0)) {
      launcher.kill('SIGKILL');
    }
    await (await Supervisor.open({ dir, log: () => {} })).stop();
    rmSync(dir, { recursive: true });
  }, START_WITHIN_MS);

  function launch(): ChildProcessByStdio<null, Readable, Readable> {
    const script = join(import.meta.dirname, 'platform-launcher.ts');
    const launcher = spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'pipe'] });
    launchers.push(launcher);
    return launcher;
  }

  /** What it prints until it is ready; its container's pid is in the line before the last. */
  async function untilReady(launcher: ChildProcessByStdio<null, Readable, Readable>): Promise<readonly string[]> {
    const lines: string[] = [];
    for await (const line of createInterface({ input: launcher.stdout })) {
      lines.push(line);
      if (line === 'ready') {
        return lines;
      }
    }
    throw new Error(`the launcher ended early: ${lines.join('\n')}`);
  }

  const containerPid = (lines: readonly string[]): number => Number(lines.at(-2)?.split(' ')[1]);

  it(
    'that is killed leaves nothing that the next one does not clear, and two do not fight over one directory',
    async () => {
      const first = launch();
      const left = containerPid(await untilReady(first));
      const leftStartTime = startTimeOf(left);
      expect(leftStartTime).toBeDefined();

      const rival = launch();
      let complaint = '';
      rival.stderr.on('data', (chunk: Buffer) => {
        complaint += chunk.toString();
      });
      const [rivalCode] = await once(rival, 'close');
      expect(rivalCode).toBe(1);
      expect(complaint).toBe(`slipway: pid ${first.pid} works on ${dir} already: end it first (Ctrl-C)\n`);

      first.kill('SIGKILL');
      await once(first, 'exit');
      expect(startTimeOf(left)).toBe(leftStartTime);

      const second = launch();
      const lines = await untilReady(second);
      expect(lines[0]).toMatch(/^cleared what a killed launcher left: .*\bconsul\b.*\bdockerd\b/);
      expect(startTimeOf(left)).not.toBe(leftStartTime);
      second.kill('SIGKILL');
    },
    2 * START_WITHIN_MS,
  );

  it(
    'that is interrupted leaves nothing',
    async () => {
      const launcher = launch();
      const container = containerPid(await untilReady(launcher));
      launcher.kill('SIGINT');
      const [code] = await once(launcher, 'exit');
      expect(code).toBe(130);
      expect(remains(dir)).toEqual(NOTHING);
      expect(startTimeOf(container)).toBeUndefined();
    },
    START_WITHIN_MS,
  );
});
