import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type MesosCell, startMesos } from '../../cell/mesos/start.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { type MarathonRig, settled, startRig } from '../integration/marathon-rig.ts';
import { until } from '../integration/mesos-until.ts';
import { ask } from './marathon/asking.ts';
import { recordedSteps, recordOf } from './marathon/recorded-record.ts';
import { Replay } from './marathon/replay.ts';

/**
 * A real Marathon 1.7.236 was killed in the middle of an upgrade to a command that always fails, and started again:
 * the upgrade goes on, and the way back is by force. The same on the cell, whose Marathon is a process of its own.
 */

jest.setTimeout(60_000);

const record = recordOf('restart of 1.7.236', recordedSteps('restart-1.7.236'));
const CHECK = {
  protocol: 'HTTP',
  path: '/',
  portIndex: 0,
  gracePeriodSeconds: 60,
  intervalSeconds: 1,
  timeoutSeconds: 1,
};

let mesos: MesosCell;
let stateDir: string;
let rig: MarathonRig;
let replay: Replay;

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'marathon-restart-'));
  const first = await freePortBlock(50);
  const agent = { name: 'agent1', cpus: 4, mem: 4096, portRange: [first, first + 49] as [number, number] };
  mesos = await startMesos({ stateDir, agents: [agent], stopGraceMs: 500 });
  rig = await startRig(mesos);
  const { client, url } = rig;
  await client.createApp({ id: '/r/a', cmd: 'sleep 1000', cpus: 0.05, mem: 8, instances: 4 });
  const old = await settled(client, '/r/a', 4);
  await ask(url, { method: 'PUT', path: '/v2/apps//r/a', body: { cmd: 'exit 1', healthChecks: [CHECK] } });
  // What had just started would count as capacity after the restart, and old tasks would end for it.
  await until('the new version has failed and waits for a while', 20_000, async () => {
    const [app, [queued]] = [await client.getApp('/r/a'), await client.queue()];
    const failed = app?.lastTaskFailure?.version === app?.['version'];
    return failed && app?.tasks.length === 4 && (queued?.delay.timeLeftSeconds ?? 0) >= 1;
  });
  await rig.kill();
  await rig.restart();
  await until('the old tasks are known again, and nothing of the new version runs', 20_000, async () => {
    const tasks = (await client.getApp('/r/a'))?.tasks ?? [];
    return tasks.length === 4 && tasks.every(({ id }) => old.tasks.some((task) => task.id === id));
  });
  replay = await Replay.on(
    {
      url,
      profile: '1.7',
      mesos,
      ports: new Map(),
      delayMesos: () => undefined,
      holdMesos: () => () => undefined,
      delayStore: () => undefined,
      holdStore: () => () => undefined,
      killTasks: () => undefined,
      restart: () => rig.restart(),
      stop: () => rig.stop(),
    },
    record,
  );
});

afterAll(async () => {
  replay?.stop();
  await rig?.stop();
  await mesos?.stop();
  rmSync(stateDir, { recursive: true });
});

describe(record.scenario, () => {
  it.each(record.steps.map((step, index) => ({ title: `${index} ${step.note}`, step })))('$title', async ({ step }) => {
    const { got, wanted } = await replay.play(step);
    expect(got).toEqual(wanted);
  });
});
