/** Runs Docker tasks on one engine. Containers carry labels, so they are found again after the agent's own death. */

import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type Docker from 'dockerode';
import { textOf } from '../../activities/mesos/thrown.ts';
import type { CommandInfo } from '../../activities/mesos/types.ts';
import { copyLogs } from './docker-logs.ts';
import { containerName, createRequest, fullImageName } from './docker-request.ts';
import { inTime } from './engine-call.ts';
import type { CellLog } from './log.ts';
import { signalProcess } from './processes.ts';
import { type ContainerSpec, type Execution, type Exit, LaunchError, type Runtime } from './runtime.ts';

/** Names the agent that started a container; its value is the agent's work directory, which outlives agent ids. */
const AGENT_LABEL = 'slipway.cell.agent';
const CONTAINER_LABEL = 'slipway.cell.container';

/** How long the engine may be away before a look at it is repeated. */
const RETRY_MS = 500;
/** A container that runs is looked at anew so often: a wait whose connection is dead would never end. */
const WAIT_MS = 60_000;
/** Exit code of what was ended by SIGKILL: 128 and the number of the signal. */
const SIGKILLED = 137;
/** The engine is asked so often, a second in all, whether memory had run out. */
const REASON_LOOKS = 10;
const REASON_LOOK_MS = 100;

export interface DockerRuntimeOptions {
  /**
   * A client of the engine whose calls fail when nothing comes for so long; undefined: never, which is only right for
   * the log of a container, that may be silent and that nobody waits for.
   */
  readonly connect: (timeoutMs: number | undefined) => Docker;
  /** Where the engine is; failures name it, as those of a Mesos agent do. */
  readonly socketPath: string;
  /** How long the engine may take for calls that answer at once. */
  readonly callTimeoutMs: number;
  /** Value of the agent label. */
  readonly agent: string;
  /** What host networking means here. */
  readonly address: string;
  /** A pull that tells nothing for so long has failed. */
  readonly pullSilenceMs: number;
  readonly log: CellLog;
}

export function dockerRuntime(options: DockerRuntimeOptions): Runtime {
  const engine = options.connect(options.callTimeoutMs);
  return {
    prepare: async (spec, signal) => {
      const docker = spec.task.container?.docker;
      if (docker === undefined) throw new LaunchError('Failed to launch container: container.docker is not set');
      const image = fullImageName(docker.image);
      if (docker.force_pull_image !== true && (await hasImage(engine, image))) return;
      const failed = (how: string) =>
        new LaunchError(
          `Failed to launch container: Failed to run 'docker -H unix://${options.socketPath} pull ${image}': ${how}`,
        );
      await pull(options, image, signal).catch((error: unknown) => {
        throw failed(`exited with status 1; stderr='Error response from daemon: ${engineWords(error)}\n'`);
      });
      if (await hasImage(engine, image)) return;
      throw failed('the engine ended it early');
    },

    launch: async (spec) => {
      await remove(engine, spec.containerId);
      const labels = { [AGENT_LABEL]: options.agent, [CONTAINER_LABEL]: spec.containerId };
      try {
        const container = await inTime(
          engine.createContainer(createRequest(spec, { labels, address: options.address })),
          engine,
        );
        await inTime(container.start(), engine);
      } catch (error) {
        // An engine that did not answer may have done it all the same, or may still.
        await removeForSure(options, engine, spec.containerId);
        if (error instanceof LaunchError) throw error;
        throw new LaunchError(`Failed to launch container: ${engineWords(error)}`);
      }
      const execution = await follow(options, engine, spec);
      if (execution === undefined) throw new LaunchError('Failed to launch container: it was removed at once');
      return execution;
    },

    adopt: async (spec) => {
      const found = await inspect(engine, spec.containerId);
      // Created and never started: a launch that was cut short; launching again replaces it.
      if (found === undefined || found.State.Status === 'created') return undefined;
      return follow(options, engine, spec);
    },

    removeOrphans: async (known) => {
      const filters = { label: [`${AGENT_LABEL}=${options.agent}`] };
      const containers = await inTime(engine.listContainers({ all: true, filters }), engine);
      const orphans = containers.flatMap(({ Labels }) => Labels[CONTAINER_LABEL] ?? []).filter((id) => !known.has(id));
      for (const id of orphans) await remove(engine, id);
      return orphans.map(containerName);
    },
  };
}

async function follow(
  options: DockerRuntimeOptions,
  engine: Docker,
  spec: ContainerSpec,
): Promise<Execution | undefined> {
  const started = await inspect(engine, spec.containerId);
  if (started === undefined) return undefined;
  const address = addressOf(started) ?? options.address;
  const logs = copyLogs(options.connect(undefined).getContainer(started.Id), spec.directory, options.log);
  let isOver = false;
  let deadline = Number.POSITIVE_INFINITY;
  const wasKilled = () => deadline < Number.POSITIVE_INFINITY;
  const over = waitForEnd(options, engine, spec.containerId, wasKilled);
  let timer: NodeJS.Timeout | undefined;
  const exited = over.then(async (exit) => {
    isOver = true;
    clearTimeout(timer);
    await logs.finished();
    return exit;
  });
  const forceful = () => {
    inTime(engine.getContainer(started.Id).kill({ signal: 'SIGKILL' }), engine).catch((error: unknown) => {
      if (isOver || isStatus(error, 404, 409)) return;
      options.log.warn(`kill of container ${started.Name}`, error);
      timer = setTimeout(forceful, RETRY_MS);
    });
  };
  return {
    pid: started.State.Pid,
    address,
    data: Buffer.from(JSON.stringify([started])).toString('base64'),
    exited,
    kill: (graceMs) => {
      const first = !wasKilled();
      if (Date.now() + graceMs >= deadline) return;
      deadline = Date.now() + graceMs;
      clearTimeout(timer);
      timer = setTimeout(forceful, graceMs);
      if (!first) return;
      // The image's own stop signal; the engine follows with SIGKILL even if this process dies meanwhile.
      options
        .connect(graceMs + options.callTimeoutMs)
        .getContainer(started.Id)
        .stop({ t: Math.ceil(graceMs / 1000) })
        .catch((error: unknown) => {
          if (!isStatus(error, 304, 404, 409)) options.log.warn(`stop of container ${started.Name}`, error);
        });
    },
    check: (command, timeoutMs) => runCheck(engine, started.Id, command, timeoutMs),
    dispose: () => remove(engine, spec.containerId),
  };
}

/** Waits as long as the container runs, through restarts of the engine and through its silence. */
async function waitForEnd(
  options: DockerRuntimeOptions,
  engine: Docker,
  containerId: string,
  wasKilled: () => boolean,
): Promise<Exit> {
  const name = containerName(containerId);
  for (let failed = false; ; ) {
    try {
      const state = (await inspect(engine, containerId))?.State;
      if (state === undefined) {
        return { code: undefined, message: 'Container was removed while it ran' };
      }
      if (state.Status === 'exited' || state.Status === 'dead') {
        const message = `Container exited with status ${state.ExitCode}`;
        const outOfMemory =
          state.OOMKilled ||
          (state.ExitCode === SIGKILLED && !wasKilled() && (await isToldOutOfMemory(engine, containerId)));
        return outOfMemory
          ? { code: state.ExitCode, message: `${message}: out of memory`, reason: 'REASON_CONTAINER_LIMITATION_MEMORY' }
          : { code: state.ExitCode, message };
      }
      failed = false;
      // No answer in this time is no news: the container runs, and is looked at again.
      const ended = await waitCall(options.connect(undefined), name, WAIT_MS).then(
        () => true,
        () => false,
      );
      if (!ended) await pause(RETRY_MS);
    } catch (error) {
      if (!failed) options.log.warn(`wait for container ${name}`, error);
      failed = true;
      await pause(RETRY_MS);
    }
  }
}

/**
 * Looks again for the reason of a SIGKILL that nobody here has sent: the engine is told that memory ran out by another
 * way than that the container has ended, and often later.
 */
async function isToldOutOfMemory(engine: Docker, containerId: string): Promise<boolean> {
  for (let look = 1; look <= REASON_LOOKS; look += 1) {
    await pause(REASON_LOOK_MS);
    if ((await inspect(engine, containerId))?.State.OOMKilled) return true;
  }
  return false;
}

/**
 * The engine's own wait. Its head comes at once and its body with the end, and the client's promise would never settle
 * when the engine dies in between: so the answer is read as a stream, which breaks.
 */
async function waitCall(engine: Docker, name: string, withinMs: number): Promise<void> {
  const path = `/containers/${name}/wait?`;
  const statusCodes = { 200: true, 404: 'no such container', 500: 'server error' };
  const stream = await new Promise<unknown>((resolve, reject) => {
    engine.modem.dial({ path, method: 'POST', isStream: true, statusCodes }, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
  if (!(stream instanceof Readable)) throw new Error(`wait for ${name}: no answer`);
  stream.resume();
  const timer = setTimeout(() => stream.destroy(new Error(`nothing for ${withinMs} ms`)), withinMs);
  await finished(stream).finally(() => clearTimeout(timer));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function inspect(engine: Docker, containerId: string): Promise<Docker.ContainerInspectInfo | undefined> {
  try {
    return await inTime(engine.getContainer(containerName(containerId)).inspect(), engine);
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

/** Removes a container, running or not; one that is not there is fine. */
async function remove(engine: Docker, containerId: string): Promise<void> {
  try {
    await inTime(engine.getContainer(containerName(containerId)).remove({ force: true, v: true }), engine);
  } catch (error) {
    // 409: its removal is already in progress.
    if (!isStatus(error, 404, 409)) throw error;
  }
}

/** Removes a container of an engine that may be gone: as soon as it is back. */
async function removeForSure(options: DockerRuntimeOptions, engine: Docker, containerId: string): Promise<void> {
  for (let failed = false; ; failed = true) {
    try {
      await remove(engine, containerId);
      return;
    } catch (error) {
      if (!failed) options.log.warn(`removal of container ${containerName(containerId)}`, error);
      await pause(RETRY_MS);
    }
  }
}

async function hasImage(engine: Docker, image: string): Promise<boolean> {
  try {
    await inTime(engine.getImage(image).inspect(), engine);
    return true;
  } catch (error) {
    if (isStatus(error, 404)) return false;
    throw new LaunchError(`Failed to launch container: ${engineWords(error)}`);
  }
}

async function pull(options: DockerRuntimeOptions, image: string, signal: AbortSignal): Promise<void> {
  const engine = options.connect(options.pullSilenceMs);
  const stream = await engine.pull(image, { abortSignal: signal });
  const silence = setTimeout(
    () => closeStream(stream, new Error(`no progress for ${options.pullSilenceMs} ms`)),
    options.pullSilenceMs,
  );
  try {
    // The engine answers 200 before it knows; what went wrong then comes as the `error` of a progress line.
    const lines = await new Promise<unknown[]>((resolve, reject) => {
      engine.modem.followProgress(
        stream,
        (error, output) => (error ? reject(error) : resolve(output)),
        () => silence.refresh(),
      );
    });
    for (const line of lines) {
      if (typeof line === 'object' && line !== null && 'error' in line) throw new Error(String(line.error));
    }
  } finally {
    clearTimeout(silence);
  }
}

function closeStream(stream: NodeJS.ReadableStream, error: Error): void {
  if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy(error);
}

/** A check inside the container. An exec'd child outlives its client, so one that takes too long is killed by pid. */
async function runCheck(engine: Docker, id: string, command: CommandInfo, timeoutMs: number): Promise<number> {
  const words =
    command.shell === false
      ? [...(command.value === undefined ? [] : [command.value]), ...(command.arguments ?? []).slice(1)]
      : ['/bin/sh', '-c', command.value ?? ''];
  const request = {
    Cmd: words,
    AttachStdout: true,
    AttachStderr: true,
    Env: (command.environment?.variables ?? []).map(({ name, value }) => `${name}=${value ?? ''}`),
  };
  const exec = await inTime(engine.getContainer(id).exec(request), engine);
  const stream = await inTime(exec.start({}), engine);
  stream.resume();
  let timer: NodeJS.Timeout | undefined;
  const late = await Promise.race([
    new Promise<false>((resolve, reject) => {
      stream.once('end', () => resolve(false));
      stream.once('error', reject);
    }),
    new Promise<true>((resolve) => {
      timer = setTimeout(() => resolve(true), timeoutMs);
    }),
  ]).finally(() => clearTimeout(timer));
  const { Running, ExitCode, Pid } = await inTime(exec.inspect(), engine);
  if (!late) return ExitCode ?? 1;
  stream.destroy();
  if (Running && Pid > 0) signalProcess(Pid, 'SIGKILL');
  throw new Error(`the check did not end within ${timeoutMs} ms`);
}

function addressOf(container: Docker.ContainerInspectInfo): string | undefined {
  return Object.values(container.NetworkSettings.Networks)
    .map(({ IPAddress }) => IPAddress)
    .find((address) => address !== '');
}

/** The engine's own words, without the client's wrapping. */
function engineWords(error: unknown): string {
  const answer = typeof error === 'object' && error !== null && 'json' in error ? error.json : undefined;
  return typeof answer === 'object' && answer !== null && 'message' in answer ? String(answer.message) : textOf(error);
}

function isStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    statuses.includes(error.statusCode)
  );
}
