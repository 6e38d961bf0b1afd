/** Runs one command of a pipeline: its own process group, a clean environment, its output in a file. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isSystemError } from '../system-error.ts';
import { buildFailed } from './failures.ts';
import { StageLog } from './stage-log.ts';

export interface StageCommand {
  /** Name of the stage, for the log and for messages. */
  readonly stage: string;
  /** Program and arguments, no shell. */
  readonly command: readonly string[];
  /** Directory in which it runs. */
  readonly cwd: string;
  /** The builder's sandbox; logs, home and temporary files of the command are in it. */
  readonly sandbox: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

/** From SIGTERM to SIGKILL. Mesos gives a task 5 s in all. */
const GRACE_MS = 2_000;
const POLL_MS = 10;

/** What of the builder's own environment a command may see: how to reach the world from here, and nothing secret. */
const PASSED_ON = /^(https?_proxy|no_proxy|npm_config_.*|node_extra_ca_certs|ssl_cert_file|ssl_cert_dir|lang|tz)$/i;

/** By these a Mesos agent finds what belongs to a task: it ends the commands of a builder that was killed. */
const MARKS = /^MESOS_(CONTAINER_ID|DIRECTORY)$/;

/**
 * Resolves when the command has ended with 0. Fails with `BuildFailed` when it ends otherwise or not in time, and with
 * the signal's reason when aborted; either way everything the command started has ended.
 */
export async function runStageCommand(options: StageCommand): Promise<void> {
  const { stage, command, cwd, sandbox, timeoutSeconds, signal } = options;
  signal.throwIfAborted();
  const [program = '', ...args] = command;
  const log = await StageLog.open(sandbox, stage);
  log.write(`$ ${command.join(' ')}\n`);
  const child = spawn(program, args, {
    cwd,
    env: await stageEnvironment(sandbox),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => log.write(chunk));
  }
  let late = false;
  let stopping: NodeJS.Timeout | undefined;
  const stop = () => {
    signalGroup(child.pid, 'SIGTERM');
    stopping = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), GRACE_MS);
  };
  const timer = setTimeout(() => {
    late = true;
    stop();
  }, timeoutSeconds * 1000);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const how = await new Promise<string | undefined>((resolve) => {
      child.on('error', (error) => resolve(`could not start ${program}: ${error.message}`));
      child.on('close', (code, by) => resolve(code === 0 ? undefined : `ended with ${by ?? `exit code ${code}`}`));
    });
    // What the command left behind in its group ends with it: a build must not leave processes on the agent.
    await endGroup(child.pid);
    signal.throwIfAborted();
    if (late) throw buildFailed(stage, `did not end within ${timeoutSeconds} s`, log.tail());
    if (how !== undefined) throw buildFailed(stage, how, log.tail());
  } finally {
    clearTimeout(timer);
    clearTimeout(stopping);
    signal.removeEventListener('abort', stop);
    await log.close();
  }
}

/** A home of its own, so that no setting of the machine changes the result; Node and npm are those of the builder. */
async function stageEnvironment(sandbox: string): Promise<NodeJS.ProcessEnv> {
  const passed = Object.entries(process.env).filter(([name]) => PASSED_ON.test(name) || MARKS.test(name));
  return {
    npm_config_update_notifier: 'false',
    npm_config_fund: 'false',
    npm_config_audit: 'false',
    ...Object.fromEntries(passed),
    PATH: [dirname(process.execPath), process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'].join(delimiter),
    HOME: await directory(sandbox, 'home'),
    TMPDIR: await directory(sandbox, 'tmp'),
    CI: 'true',
  };
}

async function directory(sandbox: string, name: string): Promise<string> {
  const path = join(sandbox, name);
  await mkdir(path, { recursive: true });
  return path;
}

/** Ends every process of a group, and waits until none runs: the next stage works in the same directory. */
async function endGroup(pid: number | undefined): Promise<void> {
  const deadline = performance.now() + GRACE_MS;
  while (signalGroup(pid, 'SIGKILL') && (await runsInGroup(pid)) && performance.now() < deadline) await delay(POLL_MS);
}

/** Zombies do not count: they are in the group until somebody reaps them, but run no more. */
async function runsInGroup(group: number | undefined): Promise<boolean> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // proc(5): `pid (comm) state ppid pgrp ...`; comm may hold anything, so fields count from its last parenthesis.
    const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(pgrp) === group && state !== 'Z' && state !== 'X') return true;
  }
  return false;
}

/** False when nobody is left in the group. */
function signalGroup(pid: number | undefined, signal: NodeJS.Signals): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    if (isSystemError(error, 'ESRCH')) return false;
    throw error;
  }
}
