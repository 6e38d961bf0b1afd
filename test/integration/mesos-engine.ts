/** A Docker engine for the Mesos suites: the one of DOCKER_SOCKET, or one of our own in a temporary directory. */
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

/** An engine that can be taken away; always one of our own. */
export interface BreakableEngine extends TestEngine {
  /** SIGTERM: it ends its containers first. */
  shutDown(): Promise<void>;
  /** SIGKILL: its containers run on until it starts again. */
  kill(): Promise<void>;
  /** Starts it again on what it had. @param liveRestore takes up containers that still run, instead of ending them */
  start(liveRestore?: boolean): Promise<void>;
  /** It accepts connections and answers nothing, until `thaw`. */
  freeze(): void;
  thaw(): void;
}

/**
 * Lets the probe that was told to `eat` begin. Only when it runs: the engine watches the memory of a container from a moment
 * after its start, and never learns what happened before.
 */
export async function makeHungry(docker: Docker, containerId: string): Promise<void> {
  const { Mounts } = await docker.getContainer(`mesos-${containerId}`).inspect();
  const sandbox = Mounts.find(({ Destination }) => Destination === '/mnt/mesos/sandbox')?.Source;
  if (sandbox === undefined) throw new Error(`container ${containerId} has no sandbox`);
  writeFileSync(join(sandbox, 'hungry'), '');
}

/** Host networking only: nothing of the machine's network is touched. */
const NO_FIREWALL = ['--iptables=false', '--ip-forward=false', '--ip-masq=false'];
const PLAIN = ['--bridge=none', ...NO_FIREWALL];

/** Starts an engine, if need be, that has the probe's image. */
export async function testEngine(): Promise<TestEngine> {
  const given = process.env['DOCKER_SOCKET'];
  const engine = given === undefined ? await startEngine() : { socketPath: given, stop: async () => undefined };
  const docker = new Docker({ socketPath: engine.socketPath });
  await loadProbe(docker);
  return { docker, ...engine };
}

/**
 * Starts an engine that has a bridge, and the probe as an image by this name, that serves on port 8080 of its container.
 * The bridge is its own, so that no other engine and nothing else of the machine is touched.
 */
export async function bridgedEngine(image: string): Promise<TestEngine> {
  const bridge = makeBridge();
  const engine = await startEngine([`--bridge=${bridge}`, ...NO_FIREWALL]);
  const docker = new Docker({ socketPath: engine.socketPath });
  await loadProbe(docker, image, '["/probe", "everywhere", "8080"]');
  return {
    docker,
    socketPath: engine.socketPath,
    stop: async () => {
      await engine.stop().finally(() => execFileSync('ip', ['link', 'delete', bridge]));
    },
  };
}

/** Its addresses are private, and as good as sure nobody else's. */
function makeBridge(): string {
  const name = `slw${process.pid}`;
  execFileSync('ip', ['link', 'add', name, 'type', 'bridge']);
  execFileSync('ip', ['address', 'add', `172.30.${process.pid % 256}.1/24`, 'dev', name]);
  execFileSync('ip', ['link', 'set', name, 'up']);
  return name;
}

/** Starts an engine that has the probe's image, to be broken. */
export async function breakableEngine(): Promise<BreakableEngine> {
  const engine = await startEngine();
  const docker = new Docker({ socketPath: engine.socketPath });
  await loadProbe(docker);
  return { docker, ...engine };
}

async function startEngine(network: readonly string[] = PLAIN): Promise<Omit<BreakableEngine, 'docker'>> {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-engine-'));
  const socketPath = join(directory, 'docker.sock');
  const dirs = ['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')];
  const docker = new Docker({ socketPath, timeout: 5_000 });
  const launch = async (more: readonly string[]) => {
    // Of one that was killed: they would stop the next as soon as another process has that pid.
    rmSync(join(directory, 'pid'), { force: true });
    rmSync(socketPath, { force: true });
    const output = openSync(join(directory, 'log'), 'a');
    const child = spawn(
      'dockerd',
      [...dirs, '-H', `unix://${socketPath}`, '-p', join(directory, 'pid'), ...network, ...more],
      { stdio: ['ignore', output, output] },
    );
    closeSync(output);
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await until('the Docker engine answers', 60_000, async () => {
      if (child.exitCode !== null) throw new Error(`dockerd: ${readFileSync(join(directory, 'log'), 'utf8')}`);
      return existsSync(socketPath) && (await docker.ping().then(Boolean, () => false));
    });
    return { child, ended };
  };
  let engine = await launch([]);
  const end = async (signal: NodeJS.Signals) => {
    engine.child.kill('SIGCONT');
    engine.child.kill(signal);
    await engine.ended;
  };
  return {
    socketPath,
    shutDown: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    start: async (liveRestore = false) => {
      engine = await launch(liveRestore ? ['--live-restore'] : []);
    },
    freeze: () => void engine.child.kill('SIGSTOP'),
    thaw: () => void engine.child.kill('SIGCONT'),
    stop: async () => {
      await end('SIGTERM');
      // Host networking leaves the engine's handle of the machine's network namespace mounted.
      await unmountBelow(directory);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** FROM scratch: the probe, as its own shell too, and nothing else. */
async function loadProbe(docker: Docker, image = PROBE_IMAGE, entrypoint = '["/probe"]'): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-probe-'));
  try {
    mkdirSync(join(directory, 'root/bin'), { recursive: true });
    execFileSync('cc', [
      '-static',
      '-Os',
      '-s',
      '-o',
      join(directory, 'root/probe'),
      join(import.meta.dirname, 'mesos-probe.c'),
    ]);
    symlinkSync('/probe', join(directory, 'root/bin/sh'));
    execFileSync('tar', ['-cf', join(directory, 'image.tar'), '-C', join(directory, 'root'), 'probe', 'bin']);
    const [repo = '', tag = ''] = image.split(':');
    const stream = await docker.importImage(join(directory, 'image.tar'), {
      repo,
      tag,
      changes: `ENTRYPOINT ${entrypoint}`,
    });
    await new Promise<void>((resolve, reject) => {
      stream.on('error', reject);
      stream.on('end', () => resolve());
      stream.resume();
    });
    await docker.getImage(image).inspect();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
