import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { FaultBoard } from '../../../cell/faults/board.ts';
import type { SwitchesInput } from '../../../cell/faults/switches.ts';
import { type MarathonCell, type MarathonCellOptions, startMarathon } from '../../../cell/marathon/marathon.ts';
import type { ProfileName } from '../../../cell/marathon/profile.ts';
import { SILENT } from '../../../cell/mesos/log.ts';
import type { CellOptions } from '../../../cell/mesos/options.ts';
import { containersBelow, processesOf } from '../../../cell/mesos/processes.ts';
import { type MesosCell, startMesos } from '../../../cell/mesos/start.ts';
import { freePortBlock } from '../../../local/platform/ports.ts';
import { type FaultProxy, startFaultProxy } from '../../fault-proxy.ts';
import { until } from '../../integration/mesos-until.ts';
import { ask } from './asking.ts';

/** An agent as a recorder had it. Its hundred ports are others here. */
export interface StageAgent {
  readonly name: string;
  readonly attributes: string;
  /** First of the recorded ports. */
  readonly firstPort: number;
  /** Default 4. */
  readonly cpus?: number;
}

export interface StageOptions {
  readonly agents: readonly StageAgent[];
  readonly marathon?: Partial<MarathonCellOptions>;
  readonly mesos?: Partial<CellOptions>;
  /** Faults of tasks. */
  readonly tasks?: SwitchesInput['tasks'];
  /** Slows calls to Mesos down by so much: to Marathon, what comes "just after" an answer is not over by then. */
  readonly mesosDelayMs?: number;
}

/** A cell to play a record on: the recorder's agents, and a Marathon with nothing in it. */
export interface Stage {
  readonly url: string;
  /** Whose dialect its Marathon speaks. */
  readonly profile: ProfileName;
  readonly mesos: MesosCell;
  /** Each recorded first port with the one that stands for it. */
  readonly ports: ReadonlyMap<number, number>;
  /** From now on calls to Mesos take so much longer. */
  delayMesos(delayMs: number): void;
  /** From now on no call gets to Mesos, until all that hold them let them go by what this returns. */
  holdMesos(): () => void;
  /** From now on Marathon takes so long to store what it decides about deployments. */
  delayStore(delayMs: number): void;
  /** From now on nothing is stored of what Marathon decides about deployments, until it is let go by what this returns. */
  holdStore(): () => void;
  /** Ends Marathon and starts it again on the same address and state; tasks run on. */
  restart(): Promise<void>;
  /** Kills what runs on an agent, though its master does not hear of it. */
  killTasks(agentName: string): void;
  stop(): Promise<void>;
}

const PORTS = 100;
/** In no record a check got no answer in time; on a busy machine a server may be kept waiting for seconds. */
const PATIENT_SECOND_MS = 10_000;

/** Resolves when Marathon is registered with Mesos. */
export async function startStage(options: StageOptions): Promise<Stage> {
  const stateDir = mkdtempSync(join(tmpdir(), 'marathon-stage-'));
  const ports = new Map<number, number>();
  for (const { firstPort } of options.agents) ports.set(firstPort, await freePortBlock(PORTS));
  const faults = new FaultBoard();
  const mesosOptions: CellOptions = {
    stateDir: join(stateDir, 'mesos'),
    agents: options.agents.map(({ name, attributes, firstPort, cpus = 4 }) => {
      const first = ports.get(firstPort) ?? 0;
      return { name, attributes, cpus, mem: 4096, portRange: [first, first + PORTS - 1] };
    }),
    stopGraceMs: 500,
    allocationIntervalMs: 200,
    ...options.mesos,
  };
  const mesos = await startMesos(mesosOptions, SILENT, faults);
  await faults.set({ tasks: options.tasks ?? [] });
  const proxy: FaultProxy = await startFaultProxy({ target: mesos.masterUrl });
  const holders = new Set<symbol>();
  let mesosDelayMs = options.mesosDelayMs ?? 0;
  const armProxy = () => {
    proxy.disarmAll();
    if (holders.size > 0) proxy.arm({ kind: 'hold', method: 'POST' });
    else if (mesosDelayMs > 0) proxy.arm({ kind: 'delay', method: 'POST', delayMs: mesosDelayMs });
  };
  armProxy();
  let stored: () => Promise<void> | undefined = () => undefined;
  const start = (port: number): Promise<MarathonCell> =>
    startMarathon({
      host: '127.0.0.1',
      port,
      mesosMaster: proxy.url,
      stateDir: join(stateDir, 'marathon'),
      stored: () => stored(),
      timeoutSecondMs: PATIENT_SECOND_MS,
      ...options.marathon,
    });
  let cell = await start(0);
  const { url } = cell;
  await until('Marathon is registered with Mesos', 60_000, async () => {
    const { body } = await ask(url, { method: 'GET', path: '/v2/info' });
    return body instanceof Object && 'frameworkId' in body;
  });
  return {
    url,
    profile: options.marathon?.profile ?? '1.7',
    mesos,
    ports,
    delayMesos(delayMs) {
      mesosDelayMs = delayMs;
      if (holders.size === 0) armProxy();
    },
    holdMesos() {
      const holder = Symbol('holder');
      holders.add(holder);
      if (holders.size === 1) armProxy();
      return () => {
        if (holders.delete(holder) && holders.size === 0) armProxy();
      };
    },
    delayStore(delayMs) {
      stored = () => passed(delayMs, undefined, { ref: false });
    },
    holdStore() {
      const { promise, resolve } = Promise.withResolvers<void>();
      stored = () => promise;
      return () => {
        stored = () => undefined;
        resolve();
      };
    },
    async restart() {
      await cell.stop();
      cell = await start(Number(new URL(url).port));
    },
    killTasks(agentName) {
      for (const container of containersBelow(join(stateDir, 'mesos/agents', agentName))) {
        for (const { pid } of processesOf(container)) process.kill(pid, 'SIGKILL');
      }
    },
    async stop() {
      proxy.disarmAll();
      await cell.stop();
      await proxy.stop();
      await mesos.stop();
      rmSync(stateDir, { recursive: true });
    },
  };
}
