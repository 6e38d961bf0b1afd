import { execFile } from 'node:child_process';
import { access, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { TrafficDocuments } from '../../activities/balancer/documents.ts';
import { BalancerRuntime } from '../../activities/balancer/runtime.ts';
import type { MasterProcess, ProcessInfo } from '../../activities/balancer/runtime-answers.ts';
import { weightChanges } from '../../activities/balancer/servers.ts';
import type { ConsulClient } from '../../activities/consul/client.ts';
import type { TrafficDocument } from '../../domain/traffic.ts';
import { type ComposedConfiguration, composeConfiguration, weightsIn, withWeights } from './configuration-text.ts';

export interface ApplyOptions {
  /** What consul-template has rendered. */
  readonly rendered: string;
  /** What HAProxy runs with, `-f`. */
  readonly configuration: string;
  /** Directory of the master's socket and of the state of servers. */
  readonly directory: string;
  /** HAProxy's executable. */
  readonly haproxy: string;
  /** Where traffic documents are. */
  readonly consul: ConsulClient;
  readonly log: (line: string) => void;
}

/** What came of it. */
export type Applied = 'reloaded' | 'weights set' | 'kept for the start of HAProxy';

/** The render can't be applied; HAProxy goes on with what it has. The message says why, in HAProxy's own words. */
export class ApplyError extends Error {
  override readonly name = 'ApplyError';
}

/** consul-template kills its command then; a reload takes under a second. */
const APPLY_WITHIN_SECONDS = 30;
const RELOAD_WITHIN_MS = 15_000;
const WEIGHTS_WITHIN_MS = 5_000;
const VALIDATE_WITHIN_MS = 5_000;

/**
 * Makes HAProxy do what was rendered. A new structure is validated, put in place and reloaded, and is done when the
 * new worker answers with it; new weights alone go through the runtime API. In the end the weights of the running
 * process and of the file are those of the traffic documents in Consul, whichever render they came with.
 *
 * @throws {ApplyError} after which the file HAProxy runs with is the one before, and the render is kept under the name
 * `<rendered>.refused`, so that a new start of consul-template renders and tries again
 */
export async function applyRender(options: ApplyOptions): Promise<Applied> {
  try {
    return await apply(options);
  } catch (error) {
    await rename(options.rendered, `${options.rendered}.refused`);
    if (error instanceof ApplyError || !(error instanceof ApplicationFailure)) throw error;
    throw new ApplyError(error.message, { cause: error });
  }
}

async function apply(options: ApplyOptions): Promise<Applied> {
  const running = await runningWorker(options);
  if (running === undefined) {
    await install(options, (await compose(options)).text);
    return 'kept for the start of HAProxy';
  }
  // Whoever moves weights from here on waits for the end: else a reload could bring back what was before.
  const runtime = new BalancerRuntime({ address: join(options.directory, 'runtime.sock') });
  await runtime.markApplying(APPLY_WITHIN_SECONDS);
  try {
    return await applyTo(options, running);
  } finally {
    // After a reload it is another process, which never had the mark.
    await runtime.markApplying(0);
  }
}

/** What is to be put in place: the render, with the weights of the documents as they are now. */
async function compose(options: ApplyOptions): Promise<ComposedConfiguration> {
  const rendered = await readFile(options.rendered, 'utf8');
  return composeConfiguration(rendered, (await readDocuments(options)) ?? new Map());
}

async function applyTo(options: ApplyOptions, running: ProcessInfo): Promise<Applied> {
  const before = await readFile(options.configuration, 'utf8').catch(undefinedIfMissing);
  const { text, description } = await compose(options);
  await install(options, text);
  if (running.description === description) {
    await settleWeights(options, running.pid);
    return 'weights set';
  }
  const pid = await reload(options, description).catch(async (error: unknown) => {
    if (before !== undefined) await replace(options.configuration, before);
    throw error;
  });
  await settleWeights(options, pid);
  return 'reloaded';
}

/** Puts the text where HAProxy reads it, at once and whole, if HAProxy takes it. */
async function install({ configuration, haproxy }: ApplyOptions, text: string): Promise<void> {
  const candidate = `${configuration}.candidate`;
  await writeFile(candidate, text);
  const complaint = await complaintOf(haproxy, candidate);
  if (complaint !== undefined) {
    await rm(candidate);
    throw new ApplyError(`HAProxy refuses the rendered configuration:\n${complaint}`);
  }
  await rename(candidate, configuration);
}

/** What `haproxy -c` says against a configuration; undefined when it is valid. */
function complaintOf(haproxy: string, file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(haproxy, ['-c', '-f', file], { timeout: VALIDATE_WITHIN_MS }, (error, stdout, stderr) => {
      resolve(error === null ? undefined : `${stderr}${stdout}`.trim() || error.message);
    });
  });
}

/** The worker that takes new connections; undefined when no HAProxy runs here. */
async function runningWorker(options: ApplyOptions): Promise<ProcessInfo | undefined> {
  const socket = join(options.directory, 'master.sock');
  if (
    await access(socket).then(
      () => false,
      () => true,
    )
  )
    return undefined;
  try {
    const worker = (await processesOf(socket)).find(({ kind }) => kind === 'worker');
    return worker === undefined ? undefined : await workerRuntime(socket, worker.pid).info();
  } catch (error) {
    // A socket that nobody listens on is what a HAProxy that was killed leaves behind.
    if (isRefused(error)) return undefined;
    throw error;
  }
}

/** Reloads, and waits until a worker with this description takes connections. @returns its pid */
async function reload(options: ApplyOptions, description: string): Promise<number> {
  const socket = join(options.directory, 'master.sock');
  const master = new BalancerRuntime({ address: socket });
  const state = join(options.directory, 'servers.state');
  await saveState(socket, state);
  await master.reload();
  try {
    return await tryUntil(`HAProxy to run ${description} after a reload`, RELOAD_WITHIN_MS, async () => {
      const processes = await processesOf(socket);
      if (processes.some(({ kind, failedReloads }) => kind === 'master' && failedReloads > 0)) {
        throw new ApplyError('HAProxy could not load the configuration it had found valid; its own log says why');
      }
      const worker = processes.find(({ kind }) => kind === 'worker');
      if (worker === undefined) return undefined;
      const info = await workerRuntime(socket, worker.pid).info();
      return info.description === description ? info.pid : undefined;
    });
  } finally {
    // The states are those of this moment: a later start of HAProxy must not take them for true.
    await writeFile(state, EMPTY_STATE);
  }
}

/** A file of server states with no server in it. HAProxy warns at each start when there is no file at all. */
const EMPTY_STATE = '1\n#\n';

/** Keeps what the running worker knows of its servers for the next one: who is down, and each weight. */
async function saveState(socket: string, state: string): Promise<void> {
  const worker = (await processesOf(socket)).find(({ kind }) => kind === 'worker');
  await writeFile(
    state,
    worker === undefined ? EMPTY_STATE : await workerRuntime(socket, worker.pid).serversStateText(),
  );
}

/**
 * Brings the worker's weights and the file's to those of the documents. A document that changes meanwhile is read
 * again, so what is set last is never older than what a shift has set.
 */
async function settleWeights(options: ApplyOptions, pid: number): Promise<void> {
  const socket = join(options.directory, 'master.sock');
  const runtime = workerRuntime(socket, pid);
  await tryUntil('the weights of HAProxy to be those of the traffic documents', WEIGHTS_WITHIN_MS, async () => {
    const text = await readFile(options.configuration, 'utf8');
    const documents = await readDocuments(options);
    const current = documents === undefined ? text : withWeights(text, documents);
    const states = await runtime.serversState();
    const changes = [...weightsIn(current)].flatMap(([backend, weights]) => weightChanges(backend, weights, states));
    if (current !== text) await replace(options.configuration, current);
    if (changes.length === 0 && current === text) return true;
    await runtime.setWeights(changes);
    return undefined;
  });
}

/** The documents in Consul; undefined when it does not answer: then the render, which was made of them, counts. */
async function readDocuments({ consul, log }: ApplyOptions): Promise<ReadonlyMap<string, TrafficDocument> | undefined> {
  try {
    return await new TrafficDocuments(consul).readAll();
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || error.nonRetryable) throw error;
    log(`weights are those of the render: ${error.message}`);
    return undefined;
  }
}

const processesOf = (socket: string): Promise<readonly MasterProcess[]> =>
  new BalancerRuntime({ address: socket }).processes();

const workerRuntime = (socket: string, pid: number) => new BalancerRuntime({ address: socket, worker: pid });

/** Writes beside the file and moves, so that HAProxy never reads half of it. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

/** Tries until there is a value. No answer, as in the middle of a reload, is one more try. */
async function tryUntil<T>(what: string, withinMs: number, attempt: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    let last = 'it did not happen';
    try {
      const value = await attempt();
      if (value !== undefined) return value;
    } catch (error) {
      if (!(error instanceof ApplicationFailure) || error.nonRetryable) throw error;
      last = error.message;
    }
    if (performance.now() >= deadline) throw new ApplyError(`waited ${withinMs} ms for ${what}: ${last}`);
    await delay(10);
  }
}

function undefinedIfMissing(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined;
  throw error;
}

const isRefused = (error: unknown): boolean => error instanceof Error && codeOf(error.cause) === 'ECONNREFUSED';

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
