/** A cell with fault switches, and the production clients on it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createMarathonActivities, type MarathonActivities } from '../../activities/marathon/activities.ts';
import { MarathonClient } from '../../activities/marathon/client.ts';
import { type Cell, startCell } from '../../cell/cell.ts';
import { FaultClient } from '../../cell/faults/client.ts';
import { containersBelow } from '../../cell/mesos/processes.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { until } from '../integration/mesos-until.ts';

const PORTS = 50;

export interface CellRig {
  readonly cell: Cell;
  readonly client: MarathonClient;
  readonly faults: FaultClient;
  readonly activities: MarathonActivities;
  /** The same with clients that give up after a second, which any answer may take on a busy machine. */
  readonly impatient: MarathonActivities;
  /** What Mesos has running, by task id. */
  running(): Promise<readonly string[]>;
  /** How many of the cell's tasks have a process on this machine, whoever knows of them. */
  alive(): number;
  stop(): Promise<void>;
}

/**
 * Two agents for `env:prod`, one for `env:fat`; command tasks only.
 * @param hostname of all agents, where a test needs one that can be reached; by default their names
 */
export async function startCellRig({ hostname }: { readonly hostname?: string } = {}): Promise<CellRig> {
  const stateDir = mkdtempSync(join(tmpdir(), 'cell-rig-'));
  const agent = async (name: string, attributes: string) => {
    const first = await freePortBlock(PORTS);
    const portRange: [number, number] = [first, first + PORTS - 1];
    return { name, attributes, cpus: 4, mem: 2048, portRange, ...(hostname === undefined ? {} : { hostname }) };
  };
  const cell = await startCell({
    stateDir,
    faults: true,
    marathon: { profile: '1.7' },
    mesos: {
      agents: [await agent('prod-1', 'env:prod'), await agent('prod-2', 'env:prod'), await agent('fat-1', 'env:fat')],
      allocationIntervalMs: 100,
      stopGraceMs: 300,
    },
  });
  const client = new MarathonClient({ url: cell.marathonUrl, timeoutMs: 30_000 });
  const environment = { url: cell.marathonUrl, group: '/prod' };
  return {
    cell,
    client,
    faults: new FaultClient(cell.marathonUrl),
    activities: createMarathonActivities({ prod: { ...environment, timeoutMs: 30_000 } }),
    impatient: createMarathonActivities({ prod: { ...environment, timeoutMs: 1_000 } }),
    running: async () => {
      const answer = await fetch(`${cell.mesosUrl}/tasks?limit=1000`);
      const { tasks } = (await answer.json()) as { tasks: { id: string; state: string }[] };
      return tasks.flatMap(({ id, state }) => (state === 'TASK_RUNNING' ? [id] : [])).toSorted();
    },
    alive: () => containersBelow(join(stateDir, 'mesos')).size,
    stop: async () => {
      await cell.stop();
      rmSync(stateDir, { recursive: true });
    },
  };
}

/**
 * One cell for all tests of a file, each of which finds it well and empty.
 * @param tell called when it has started
 */
export function useCellRig(tell: (rig: CellRig) => void): void {
  let rig: CellRig;
  beforeAll(async () => {
    rig = await startCellRig();
    tell(rig);
  });
  afterAll(() => rig.stop());
  afterEach(async () => {
    await rig.faults.clear();
    for (const { id } of await rig.client.listApps()) await rig.client.deleteApp(id);
    await until('nothing is left', 40_000, async () => (await rig.client.deployments()).length === 0);
    await until('no process is left', 30_000, () => rig.alive() === 0);
  });
}

/** Runs an activity as a worker would, without a line of log for every failure that a test wants. */
export function run<P, R>(activity: (input: P) => Promise<R>, input: P): Promise<R> {
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  return environment.run<[P], R, (input: P) => Promise<R>>(activity, input);
}
