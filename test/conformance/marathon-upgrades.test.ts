import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MarathonClient } from '../../activities/marathon/client.ts';
import { type MarathonCell, startMarathon } from '../../cell/marathon/marathon.ts';
import { type MesosCell, startMesos } from '../../cell/mesos/start.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { recordEvents, SLEEP, settled } from '../integration/marathon-rig.ts';
import { until } from '../integration/mesos-until.ts';

/**
 * Rolling upgrades with nine strategies as a real Marathon 1.7.236 made them, made again by the cell with real tasks:
 * what it does at once, how few run and how many exist, and that each move is paid for.
 */

jest.setTimeout(60_000);

type Move = `${'old' | 'new'}:${'CREATED' | 'STARTING' | 'RUNNING' | 'KILLING' | 'KILLED'}`;

interface Recorded {
  readonly instances: number;
  readonly minimumHealthCapacity: number;
  readonly maximumOverCapacity: number;
  readonly 'fewest running and not being killed': number;
  readonly 'most existing': number;
  readonly sequence: readonly Move[];
}

const recording: readonly Recorded[] = JSON.parse(
  readFileSync(join(import.meta.dirname, 'marathon/upgrades-1.7.236.json'), 'utf8'),
);

let mesos: MesosCell;
let cell: MarathonCell;
let client: MarathonClient;
let stateDir: string;

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'marathon-upgrades-'));
  const first = await freePortBlock(100);
  mesos = await startMesos({
    stateDir: join(stateDir, 'mesos'),
    agents: [{ name: 'agent1', hostname: 'localhost', cpus: 8, mem: 4096, portRange: [first, first + 99] }],
    stopGraceMs: 500,
  });
  cell = await startMarathon({
    host: '127.0.0.1',
    port: 0,
    mesosMaster: mesos.masterUrl,
    stateDir: join(stateDir, 'marathon'),
  });
  client = new MarathonClient({ url: cell.url });
  await until('it is registered', 60_000, async () => (await client.info()).frameworkId);
});

afterAll(async () => {
  await cell?.stop();
  await mesos?.stop();
  rmSync(stateDir, { recursive: true });
});

/** What a sequence of moves amounts to. */
function play(instances: number, sequence: readonly Move[]) {
  const count = { oldRunning: instances, oldExisting: instances, newExisting: 0, newRunning: 0 };
  let fewest = instances;
  let most = instances;
  for (const move of sequence) {
    if (move === 'old:KILLING') count.oldRunning -= 1;
    if (move === 'old:KILLED') count.oldExisting -= 1;
    if (move === 'new:CREATED') count.newExisting += 1;
    if (move === 'new:RUNNING') count.newRunning += 1;
    fewest = Math.min(fewest, count.oldRunning + count.newRunning);
    most = Math.max(most, count.oldExisting + count.newExisting);
  }
  return { fewest, most };
}

/** How many moves of one kind come before the first of another. */
function countBefore(sequence: readonly Move[], counted: Move, first: Move): number {
  const end = sequence.indexOf(first);
  return times(sequence.slice(0, end === -1 ? undefined : end), counted);
}

const times = (sequence: readonly Move[], move: Move) => sequence.filter((one) => one === move).length;

describe('an upgrade on the cell and on Marathon 1.7.236', () => {
  it.each(recording)(
    'goes the same way: $instances instances, minimum $minimumHealthCapacity, over $maximumOverCapacity',
    async (recorded) => {
      const { instances, minimumHealthCapacity, maximumOverCapacity, sequence } = recorded;
      const id = `/u/a${recording.indexOf(recorded)}`;
      const upgradeStrategy = { minimumHealthCapacity, maximumOverCapacity };
      await client.createApp({ id, ...SLEEP, cpus: 0.05, instances, upgradeStrategy });
      const old = new Set((await settled(client, id, instances)).tasks.map((task) => task.id));
      const { events, stop } = await recordEvents(cell.url);
      const answer = await fetch(`${cell.url}/v2/apps/${id}`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ env: { NEW: '1' } }),
      });
      expect(answer.status).toBe(200);
      await settled(client, id, instances);
      await stop();

      const moves = events.flatMap((event): Move[] => {
        if (event['condition'] === 'Created') return ['new:CREATED'];
        if (event.eventType !== 'status_update_event') return [];
        const state = String(event['taskStatus']).replace('TASK_', '');
        return [`${old.has(String(event['taskId'])) ? 'old' : 'new'}:${state}` as Move];
      });
      const killed = countBefore(sequence, 'old:KILLING', 'new:RUNNING');
      expect(countBefore(moves, 'old:KILLING', 'new:RUNNING')).toBe(killed);
      if (killed === 0) {
        // Nothing ends before something new runs, and by then all that may exist at first was started.
        const started = countBefore(sequence, 'new:STARTING', 'old:KILLING');
        expect(countBefore(moves, 'new:CREATED', 'old:KILLING')).toBe(started);
      }
      const played = play(instances, moves);
      expect(played.fewest).toBe(recorded['fewest running and not being killed']);
      // How many exist depends on how soon offers come, below what the strategy allows.
      const minHealthy = Math.ceil(instances * minimumHealthCapacity);
      const allowed = Math.trunc(instances * (1 + maximumOverCapacity));
      expect(played.most).toBeGreaterThanOrEqual(recorded['most existing']);
      expect(played.most).toBeLessThanOrEqual(minHealthy === allowed ? allowed + 1 : allowed);
      for (const move of ['new:STARTING', 'new:RUNNING', 'old:KILLING', 'old:KILLED'] as const) {
        expect([move, times(moves, move)]).toEqual([move, times(sequence, move)]);
      }
      // Every old one that ends later is paid for by a new one that runs.
      let credit = killed;
      for (const move of moves) {
        if (move === 'new:RUNNING') credit += 1;
        if (move === 'old:KILLING') credit -= 1;
        expect(credit).toBeGreaterThanOrEqual(0);
      }
      await client.deleteApp(id);
      await until('it is gone', 30_000, async () => (await client.deployments()).length === 0);
    },
  );
});
