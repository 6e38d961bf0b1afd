/** A Docker engine for the Mesos suites: the one of DOCKER_SOCKET, or one of our own in a temporary directory. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { unmountBelow } from '../../local/platform/mounts.ts';
import { until } from './mesos-until.ts';

export const PROBE_IMAGE = 'slipway-mesos-probe:1';

export interface TestEngine {
  readonly docker: Docker;
  readonly socketPath: string;
  stop(): Promise<void>;
}

/** Host networking only: nothing of the machine's network is touched. */
const PLAIN = ['--bridge=none', '--iptables=false', '--ip-forward=false', '--ip-masq=false'];

/** Starts an engine, if need be, that has the probe's image. */
export async function testEngine(): Promise<TestEngine> {
  const given = process.env['DOCKER_SOCKET'];
  const engine = given === undefined ? await startEngine() : { socketPath: given, stop: async () => undefined };
  const docker = new Docker({ socketPath: engine.socketPath });
  await loadProbe(docker);
  return { docker, ...engine };
}

async function startEngine(): Promise<{ readonly socketPath: string; stop(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-engine-'));
  const socketPath = join(directory, 'docker.sock');
  const output = openSync(join(directory, 'log'), 'a');
  const dirs = ['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')];
  const engine = spawn('dockerd', [...dirs, '-H', `unix://${socketPath}`, '-p', join(directory, 'pid'), ...PLAIN], {
    stdio: ['ignore', output, output],
  });
  const ended = new Promise<void>((resolve) => engine.once('exit', () => resolve()));
  const docker = new Docker({ socketPath, timeout: 5_000 });
  await until('the Docker engine answers', 60_000, async () => {
    if (engine.exitCode !== null) throw new Error(`dockerd: ${readFileSync(join(directory, 'log'), 'utf8')}`);
    return existsSync(socketPath) && (await docker.ping().then(Boolean, () => false));
  });
  return {
    socketPath,
    stop: async () => {
      engine.kill('SIGTERM');
      await ended;
      // Host networking leaves the engine's handle of the machine's network namespace mounted.
      await unmountBelow(directory);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** FROM scratch: the probe and nothing else. */
async function loadProbe(docker: Docker): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-probe-'));
  try {
    mkdirSync(join(directory, 'root'));
    execFileSync('cc', [
      '-static',
      '-Os',
      '-s',
      '-o',
      join(directory, 'root/probe'),
      join(import.meta.dirname, 'mesos-probe.c'),
    ]);
    execFileSync('tar', ['-cf', join(directory, 'image.tar'), '-C', join(directory, 'root'), 'probe']);
    const [repo = '', tag = ''] = PROBE_IMAGE.split(':');
    const stream = await docker.importImage(join(directory, 'image.tar'), {
      repo,
      tag,
      changes: 'ENTRYPOINT ["/probe"]',
    });
    await new Promise<void>((resolve, reject) => {
      stream.on('error', reject);
      stream.on('end', () => resolve());
      stream.resume();
    });
    await docker.getImage(PROBE_IMAGE).inspect();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
