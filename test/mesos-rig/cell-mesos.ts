import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMesos } from '../../cell/mesos/start.ts';
import {
  agentTimeoutMs,
  CutOff,
  type MesosSetup,
  type MesosUnderTest,
  portRangeOf,
  taskEnvironmentOf,
} from './mesos-under-test.ts';

/** The embedded Mesos, in this process. */
export async function startCellMesos(setup: MesosSetup): Promise<MesosUnderTest> {
  const stateDir = mkdtempSync(join(tmpdir(), 'slipway-cell-'));
  const agents = await Promise.all(
    setup.agents.map(async (agent) => ({ cpus: 4, mem: 4096, ...agent, portRange: await portRangeOf(agent) })),
  );
  const cell = await startMesos({
    stateDir,
    allocationIntervalMs: 50,
    stopGraceMs: 500,
    agentTimeoutMs: agentTimeoutMs(setup, 'embedded'),
    taskEnvironment: taskEnvironmentOf(setup),
    ...(setup.dockerSocket === undefined ? {} : { docker: { socketPath: setup.dockerSocket } }),
    agents,
  });
  const away = new CutOff((name) => cell.heal(name));
  const cutOff = (name: string) => {
    cell.partition(name);
    away.add(name);
  };
  return {
    kind: 'embedded',
    masterUrl: cell.masterUrl,
    agents: cell.agents.map((agent, index) => ({ ...agent, attributes: setup.agents[index]?.attributes ?? '' })),
    partition: cutOff,
    heal: (name) => away.bringBack(name),
    breakOff: async (name) => cutOff(name),
    comeBack: (name) => away.bringBack(name),
    restoreAgents: () => away.bringAllBack(),
    stop: async () => {
      await cell.stop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}
