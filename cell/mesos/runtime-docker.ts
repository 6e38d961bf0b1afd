/** Runs Docker tasks on one engine. Containers carry labels, so they are found again after the agent's own death. */

import type Docker from 'dockerode';
import { textOf } from '../../activities/mesos/thrown.ts';
import type { CommandInfo } from '../../activities/mesos/types.ts';
import { copyLogs } from './docker-logs.ts';
import { containerName, createRequest, fullImageName } from './docker-request.ts';
import type { CellLog } from './log.ts';
import { signalProcess } from './processes.ts';
import { type ContainerSpec, type Execution, type Exit, LaunchError, type Runtime } from './runtime.ts';

/** Names the agent that started a container; its value is the agent's work directory, which outlives agent ids. */
const AGENT_LABEL = 'slipway.cell.agent';
const CONTAINER_LABEL = 'slipway.cell.container';

/** How long the engine may be away before a look at it is repeated. */
const RETRY_MS = 500;

export interface DockerRuntimeOptions {
  /** With a timeout, for calls that answer at once. */
  readonly engine: Docker;
  /** Without one, for calls that last as long as a task: wait, logs, stop, pull. */
  readonly longEngine: Docker;
  /** Value of the agent label. */
  readonly agent: string;
  /** What host networking means here. */
  readonly address: string;
  /** A pull that tells nothing for so long has failed. */
  readonly pullSilenceMs: number;
  readonly log: CellLog;
}

export function dockerRuntime(options: DockerRuntimeOptions): Runtime {
  const { engine } = options;
  return {
    prepare: async (spec, signal) => {
      const docker = spec.task.container?.docker;
      if (docker === undefined) throw new LaunchError('Failed to launch container: container.docker is not set');
      const image = fullImageName(docker.image);
      if (docker.force_pull_image !== true && (await hasImage(engine, image))) return;
      await pull(options, image, signal).catch((error: unknown) => {
        throw new LaunchError(`Failed to launch container: pull of ${docker.image}: ${engineWords(error)}`);
      });
      if (await hasImage(engine, image)) return;
      throw new LaunchError(`Failed to launch container: pull of ${docker.image}: the engine ended it early`);
    },

    launch: async (spec) => {
      await remove(engine, spec.containerId);
      const labels = { [AGENT_LABEL]: options.agent, [CONTAINER_LABEL]: spec.containerId };
      try {
        const container = await engine.createContainer(createRequest(spec, labels));
        await container.start();
      } catch (error) {
        await remove(engine, spec.containerId);
        if (error instanceof LaunchError) throw error;
        throw new LaunchError(`Failed to launch container: ${engineWords(error)}`);
      }
      const execution = await follow(options, spec);
      if (execution === undefined) throw new LaunchError('Failed to launch container: it was removed at once');
      return execution;
    },

    adopt: async (spec) => {
      const found = await inspect(engine, spec.containerId);
      // Created and never started: a launch that was cut short; launching again replaces it.
      if (found === undefined || found.State.Status === 'created') return undefined;
      return follow(options, spec);
    },

    removeOrphans: async (known) => {
      const containers = await engine.listContainers({
        all: true,
        filters: { label: [`${AGENT_LABEL}=${options.agent}`] },
      });
      const orphans = containers.flatMap(({ Labels }) => Labels[CONTAINER_LABEL] ?? []).filter((id) => !known.has(id));
      for (const id of orphans) await remove(engine, id);
      return orphans.map(containerName);
    },
  };
}

async function follow(options: DockerRuntimeOptions, spec: ContainerSpec): Promise<Execution | undefined> {
  const { engine, longEngine } = options;
  const started = await inspect(engine, spec.containerId);
  if (started === undefined) return undefined;
  const address = addressOf(started) ?? options.address;
  const logs = copyLogs(longEngine.getContainer(started.Id), spec.directory, options.log);
  const over = waitForEnd(options, spec.containerId);
  const exited = over.then(async (exit) => {
    await logs.finished();
    return exit;
  });
  let deadline = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const forceful = () => {
    engine
      .getContainer(started.Id)
      .kill({ signal: 'SIGKILL' })
      .catch((error: unknown) => {
        if (!isStatus(error, 404, 409)) options.log.warn(`kill of container ${started.Name}`, error);
      });
  };
  void exited.then(() => clearTimeout(timer));
  return {
    pid: started.State.Pid,
    address,
    data: Buffer.from(JSON.stringify([started])).toString('base64'),
    exited,
    kill: (graceMs) => {
      const first = deadline === Number.POSITIVE_INFINITY;
      if (Date.now() + graceMs >= deadline) return;
      deadline = Date.now() + graceMs;
      clearTimeout(timer);
      timer = setTimeout(forceful, graceMs);
      if (!first) return;
      // The image's own stop signal; the engine follows with SIGKILL even if this process dies meanwhile.
      longEngine
        .getContainer(started.Id)
        .stop({ t: Math.ceil(graceMs / 1000) })
        .catch((error: unknown) => {
          if (!isStatus(error, 304, 404, 409)) options.log.warn(`stop of container ${started.Name}`, error);
        });
    },
    check: (command, timeoutMs) => runCheck(options, started.Id, command, timeoutMs),
    dispose: () => remove(engine, spec.containerId),
  };
}

/** Waits as long as the container runs, through restarts of the engine. */
async function waitForEnd(options: DockerRuntimeOptions, containerId: string): Promise<Exit> {
  for (;;) {
    try {
      const state = (await inspect(options.engine, containerId))?.State;
      if (state === undefined) {
        return { code: undefined, message: 'Container was removed while it ran' };
      }
      if (state.Status === 'exited' || state.Status === 'dead') {
        const message = `Container exited with status ${state.ExitCode}`;
        return state.OOMKilled
          ? { code: state.ExitCode, message: `${message}: out of memory`, reason: 'REASON_CONTAINER_LIMITATION_MEMORY' }
          : { code: state.ExitCode, message };
      }
      await options.longEngine.getContainer(containerName(containerId)).wait();
    } catch (error) {
      options.log.warn(`wait for container ${containerName(containerId)}`, error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function inspect(engine: Docker, containerId: string): Promise<Docker.ContainerInspectInfo | undefined> {
  try {
    return await engine.getContainer(containerName(containerId)).inspect();
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

/** Removes a container, running or not; one that is not there is fine. */
async function remove(engine: Docker, containerId: string): Promise<void> {
  try {
    await engine.getContainer(containerName(containerId)).remove({ force: true, v: true });
  } catch (error) {
    // 409: its removal is already in progress.
    if (!isStatus(error, 404, 409)) throw error;
  }
}

async function hasImage(engine: Docker, image: string): Promise<boolean> {
  try {
    await engine.getImage(image).inspect();
    return true;
  } catch (error) {
    if (isStatus(error, 404)) return false;
    throw new LaunchError(`Failed to launch container: ${engineWords(error)}`);
  }
}

async function pull(options: DockerRuntimeOptions, image: string, signal: AbortSignal): Promise<void> {
  const stream = await options.longEngine.pull(image, { abortSignal: signal });
  const silence = setTimeout(
    () => closeStream(stream, new Error(`no progress for ${options.pullSilenceMs} ms`)),
    options.pullSilenceMs,
  );
  try {
    // The engine answers 200 before it knows; what went wrong then comes as the `error` of a progress line.
    const lines = await new Promise<unknown[]>((resolve, reject) => {
      options.longEngine.modem.followProgress(
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
async function runCheck(
  options: DockerRuntimeOptions,
  id: string,
  command: CommandInfo,
  timeoutMs: number,
): Promise<number> {
  const words =
    command.shell === false
      ? [...(command.value === undefined ? [] : [command.value]), ...(command.arguments ?? []).slice(1)]
      : ['/bin/sh', '-c', command.value ?? ''];
  const exec = await options.engine.getContainer(id).exec({
    Cmd: words,
    AttachStdout: true,
    AttachStderr: true,
    Env: (command.environment?.variables ?? []).map(({ name, value }) => `${name}=${value ?? ''}`),
  });
  const stream = await exec.start({});
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
  const { Running, ExitCode, Pid } = await exec.inspect();
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
