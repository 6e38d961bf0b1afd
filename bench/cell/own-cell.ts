/** A cell as its users have it, a process of its own, on data that goes with it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MarathonClient } from '../../activities/marathon/client.ts';
import { down, up } from '../../cell/launcher.ts';
import type { CellOptions } from '../../cell/mesos/options.ts';
import { until } from '../../test/integration/mesos-until.ts';

const MIB = 1024 * 1024;
const REGISTERED_WITHIN_MS = 30_000;
/** Clock ticks a second in /proc, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface OwnCell {
  /** Of its Marathon. */
  readonly url: string;
  readonly client: MarathonClient;
  /** Resident memory in MiB. */
  memoryMib(): number;
  /** Seconds of processor time used so far. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** Starts one; resolves when Marathon is registered with Mesos. */
export async function startOwnCell(mesos: Omit<CellOptions, 'stateDir'>): Promise<OwnCell> {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-bench-cell-'));
  const stop = async (): Promise<void> => {
    await down(directory, { keep: false });
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const { running } = await up(directory, { mesos: { port: 0, ...mesos }, marathon: { port: 0 } });
    const { pid, marathonUrl: url } = running;
    const client = new MarathonClient({ url, timeoutMs: 60_000 });
    await until('Marathon is registered', REGISTERED_WITHIN_MS, async () => (await client.info()).frameworkId);
    return {
      url,
      client,
      memoryMib: () => Math.round(residentBytes(pid) / MIB),
      cpuSeconds: () => usedSeconds(pid),
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
