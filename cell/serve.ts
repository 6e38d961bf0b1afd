/** Runs the cell of a directory until it is told to end. */
import { once } from 'node:events';
import { startCell } from './cell.ts';
import { CellDirectory, type RunningCell } from './directory.ts';
import type { CellLog } from './mesos/log.ts';
import { findProcess } from './mesos/processes.ts';

/**
 * Starts the cell, says in its directory where it answers, and waits. Resolves when `stop` was aborted and every task
 * has ended; rejects when it does not start, or when tasks could not be ended.
 *
 * @param path of a directory with the cell's options
 * @param started told once everything answers
 */
export async function serveCell(
  path: string,
  log: CellLog,
  stop: AbortSignal,
  started: (running: RunningCell) => void = () => undefined,
): Promise<void> {
  const directory = new CellDirectory(path);
  const options = directory.options();
  if (options === undefined) throw new Error(`${path} has no cell.json`);
  const cell = await startCell({ ...options, stateDir: directory.path }, log);
  const { mesosUrl, marathonUrl, agents } = cell;
  const startTicks = findProcess(process.pid)?.startTicks ?? 0;
  const running = { pid: process.pid, startTicks, mesosUrl, marathonUrl, agents: [...agents] };
  directory.writeRunning(running);
  started(running);
  if (!stop.aborted) await once(stop, 'abort');
  log.info('ending every task');
  await cell.stop();
  directory.removeRunning();
}
