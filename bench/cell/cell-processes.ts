/** A cell as its users have it: Mesos and Marathon, each a process of its own, on data that goes with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { MarathonClient } from '../../activities/marathon/client.ts';
import type { CellOptions } from '../../cell/mesos/options.ts';
import { until } from '../../test/integration/mesos-until.ts';

const ROOT = join(import.meta.dirname, '../..');
const MIB = 1024 * 1024;
const STARTED_WITHIN_MS = 30_000;
/** Clock ticks a second in /proc, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

const mesosReady = z.object({ masterUrl: z.string() });
const marathonReady = z.object({ url: z.string() });

export interface CellProcesses {
  readonly url: string;
  readonly client: MarathonClient;
  /** Resident memory of both processes together, in MiB. */
  memoryMib(): number;
  /** Seconds of processor time that both processes have used so far. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** Starts one; resolves when Marathon is registered with Mesos. */
export async function startCellProcesses(options: Omit<CellOptions, 'stateDir'>): Promise<CellProcesses> {
  const stateDir = mkdtempSync(join(tmpdir(), 'slipway-bench-cell-'));
  const processes: ChildProcess[] = [];
  const start = async (args: readonly string[]): Promise<unknown> => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    processes.push(child);
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    return JSON.parse(String(line));
  };
  const stop = async (): Promise<void> => {
    for (const child of processes.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
    rmSync(stateDir, { recursive: true, force: true });
  };
  try {
    const cellOptions: CellOptions = { ...options, stateDir: join(stateDir, 'mesos') };
    const { masterUrl } = mesosReady.parse(await start(['cell/mesos/main.ts', JSON.stringify(cellOptions)]));
    const state = join(stateDir, 'marathon');
    const marathon = ['cell/marathon/main.ts', '--master', masterUrl, '--state', state, '--port', '0'];
    const { url } = marathonReady.parse(await start(marathon));
    const client = new MarathonClient({ url, timeoutMs: 60_000 });
    await until('Marathon is registered with Mesos', STARTED_WITHIN_MS, async () => (await client.info()).frameworkId);
    const sum = (of: (pid: number) => number) => processes.reduce((total, { pid = 0 }) => total + of(pid), 0);
    return {
      url,
      client,
      memoryMib: () => Math.round(sum(residentBytes) / MIB),
      cpuSeconds: () => sum(usedSeconds),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** See proc(5), `VmRSS`. */
function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

/** See proc(5), `utime` and `stime`: fields 14 and 15; the name in parentheses may hold anything. */
function usedSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
