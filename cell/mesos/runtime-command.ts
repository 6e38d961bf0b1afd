/** Runs command tasks as plain processes of this machine: own session, sandbox as working directory, limits if wanted. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { CommandInfo } from '../../activities/mesos/types.ts';
import type { Cgroups } from './cgroups.ts';
import {
  CONTAINER_VARIABLE,
  containersBelow,
  DIRECTORY_VARIABLE,
  isAlive,
  processesOf,
  signalProcess,
  type TaskProcess,
  unmarkedBelow,
} from './processes.ts';
import { type ContainerSpec, type Execution, type Exit, LaunchError, type Runtime } from './runtime.ts';

/**
 * Stays in front of the command and writes down its exit status, so that it is known even if the agent died
 * meanwhile. The traps keep the supervisor alive through the SIGTERM to its group; a trapped (unlike an ignored)
 * signal is back to its default in the command itself.
 */
const SUPERVISOR = `
trap : HUP INT TERM
file=$1; groups=$2; shift 2
for group in $groups; do
  echo $$ > "$group" || exit 125
done
"$@"
code=$?
echo "$code" > "$file.new" && mv "$file.new" "$file"
exit "$code"
`;

/** How often a process that is not our child is looked at. */
const WATCH_MS = 100;
/** How often a task with limits is looked at for having met them. */
const MEMORY_LOOK_MS = 250;

/** strsignal(3) of the signals that end a process. */
const SIGNAL_NAMES: Readonly<Record<number, string>> = {
  1: 'Hangup',
  2: 'Interrupt',
  3: 'Quit',
  4: 'Illegal instruction',
  6: 'Aborted',
  7: 'Bus error',
  8: 'Floating point exception',
  9: 'Killed',
  11: 'Segmentation fault',
  13: 'Broken pipe',
  14: 'Alarm clock',
  15: 'Terminated',
};

export interface CommandRuntimeOptions {
  /** Only sandboxes below it are this runtime's. */
  readonly workDirectory: string;
  /** What every task inherits besides its own variables, such as PATH. */
  readonly environment: Readonly<Record<string, string>>;
  /** Reported as each task's address. */
  readonly address: string;
  /** Absent: nothing limits a task, as with Mesos' default isolation. */
  readonly cgroups?: Cgroups | undefined;
}

export function commandRuntime(options: CommandRuntimeOptions): Runtime {
  return {
    prepare: async () => undefined,

    launch: async (spec) => {
      const command = spec.task.command ?? {};
      refuseUnsupported(command);
      const environment = taskEnvironment(spec, command, options.environment);
      const groups = options.cgroups?.create(spec.containerId, spec.task) ?? [];
      const supervised = [exitFile(spec), groups.join(' '), ...argv(command)];
      const child = await start(spec, ['-c', SUPERVISOR, 'mesos-task', ...supervised], environment);
      return execution(spec, options, child.pid, child.ended);
    },

    adopt: async (spec) => {
      const leader = processesOf(spec.containerId).find((process) => process.leader);
      if (leader !== undefined) return execution(spec, options, leader.pid, untilGone(leader));
      if (existsSync(exitFile(spec))) return execution(spec, options, undefined, Promise.resolve());
      return undefined;
    },

    removeOrphans: async (known) => {
      const orphans = [...containersBelow(options.workDirectory)].filter((id) => !known.has(id));
      for (const id of orphans) await killAll(id);
      // A check that was under way when its agent was killed has nobody left who ends it.
      const checks = unmarkedBelow(options.workDirectory);
      for (const { pid } of checks) signalProcess(pid, 'SIGKILL');
      await options.cgroups?.removeOthers(known);
      return [...orphans.map((id) => `processes of ${id}`), ...checks.map(({ pid }) => `check with pid ${pid}`)];
    },
  };
}

function execution(
  spec: ContainerSpec,
  options: CommandRuntimeOptions,
  pid: number | undefined,
  ended: Promise<void>,
): Execution {
  let deadline = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const memoryExceeded = () => options.cgroups?.memoryExceeded(spec.containerId, spec.task);
  // The kernel kills one process; Mesos then ends the whole task.
  const memoryWatch = setInterval(() => {
    if (memoryExceeded() === undefined) return;
    for (const process of processesOf(spec.containerId)) signalProcess(process.pid, 'SIGKILL');
  }, MEMORY_LOOK_MS);
  if (options.cgroups === undefined) clearInterval(memoryWatch);
  const exited = ended.then(async () => {
    clearTimeout(timer);
    clearInterval(memoryWatch);
    // What the command left running in the background ends with it, as a container's processes do.
    await killAll(spec.containerId);
    const exit = readExit(spec);
    const message = memoryExceeded();
    return message === undefined ? exit : { ...exit, message, reason: 'REASON_CONTAINER_LIMITATION_MEMORY' };
  });
  return {
    pid,
    address: options.address,
    exited,
    kill: (graceMs) => {
      if (pid === undefined) return;
      if (deadline === Number.POSITIVE_INFINITY) signalProcess(-pid, 'SIGTERM');
      if (Date.now() + graceMs >= deadline) return;
      deadline = Date.now() + graceMs;
      clearTimeout(timer);
      timer = setTimeout(() => {
        signalProcess(-pid, 'SIGKILL');
        for (const process of processesOf(spec.containerId)) signalProcess(process.pid, 'SIGKILL');
      }, graceMs);
    },
    check: (command, timeoutMs) =>
      check(spec.directory, command, taskEnvironment(spec, command, options.environment), timeoutMs),
    dispose: async () => {
      rmSync(exitFile(spec), { force: true });
      await options.cgroups?.remove(spec.containerId);
    },
  };
}

function start(
  spec: ContainerSpec,
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ readonly pid: number; readonly ended: Promise<void> }> {
  const out = openSync(`${spec.directory}/stdout`, 'a');
  const err = openSync(`${spec.directory}/stderr`, 'a');
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', args, { cwd: spec.directory, detached: true, env, stdio: ['ignore', out, err] });
    const ended = new Promise<void>((over) => child.once('exit', () => over()));
    child.once('error', (error) => reject(new LaunchError(`Failed to start the command: ${error.message}`)));
    child.once('spawn', () => {
      child.unref();
      // After 'spawn' there is a pid.
      resolve({ pid: child.pid ?? 0, ended });
    });
    closeSync(out);
    closeSync(err);
  });
}

/** `exited with status` or `terminated with signal`, as mesos-executor words it. */
function readExit(spec: ContainerSpec): Exit {
  const file = exitFile(spec);
  if (!existsSync(file)) return { code: undefined, message: 'Command terminated with signal Killed' };
  const code = Number(readFileSync(file, 'utf8').trim());
  const signal = SIGNAL_NAMES[code - 128];
  return {
    code,
    message: signal === undefined ? `Command exited with status ${code}` : `Command terminated with signal ${signal}`,
  };
}

/** Kills every process of a container until none is left: one may fork while we look. */
async function killAll(containerId: string): Promise<void> {
  for (;;) {
    const left = processesOf(containerId);
    if (left.length === 0) return;
    for (const { pid } of left) signalProcess(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS / 10));
  }
}

function untilGone(process: TaskProcess): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (isAlive(process)) return;
      clearInterval(timer);
      resolve();
    }, WATCH_MS);
  });
}

async function check(
  directory: string,
  command: CommandInfo,
  env: Record<string, string>,
  timeoutMs: number,
): Promise<number> {
  const [program = 'true', ...args] = argv(command);
  // Without the container's mark, or the check would count as a process of the task.
  const { [CONTAINER_VARIABLE]: _, ...unmarked } = env;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: directory, detached: true, env: unmarked, stdio: 'ignore' });
    const timer = setTimeout(() => {
      if (child.pid !== undefined) signalProcess(-child.pid, 'SIGKILL');
      reject(new Error(`the check did not end within ${timeoutMs} ms`));
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve(code ?? 1);
    });
  });
}

function argv(command: CommandInfo): string[] {
  if (command.shell === false) return [command.value ?? '', ...(command.arguments ?? []).slice(1)];
  return ['/bin/sh', '-c', command.value ?? ''];
}

function taskEnvironment(
  spec: ContainerSpec,
  command: CommandInfo,
  inherited: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = (spec.task.command?.environment?.variables ?? []).concat(
    command === spec.task.command ? [] : (command.environment?.variables ?? []),
  );
  return {
    ...inherited,
    MESOS_FRAMEWORK_ID: spec.frameworkId,
    MESOS_SLAVE_ID: spec.agentId,
    MESOS_EXECUTOR_ID: spec.task.task_id.value,
    MESOS_SANDBOX: spec.directory,
    ...Object.fromEntries(own.map(({ name, value }) => [name, value ?? ''])),
    [DIRECTORY_VARIABLE]: spec.directory,
    [CONTAINER_VARIABLE]: spec.containerId,
  };
}

/** Beside the sandbox, not in it: what is in there belongs to the task. */
function exitFile(spec: ContainerSpec): string {
  return `${spec.directory}.exit`;
}

function refuseUnsupported(command: CommandInfo): void {
  if (command.uris !== undefined && command.uris.length > 0) {
    throw new LaunchError('Failed to fetch all URIs for container: this agent has no fetcher');
  }
  const me = userInfo().username;
  if (command.user !== undefined && command.user !== me) {
    throw new LaunchError(`Failed to start the command: this agent runs tasks as ${me}, not as ${command.user}`);
  }
}
