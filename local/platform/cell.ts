import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AGENT_CPUS, AGENT_MEMORY_MIB, AGENT_PORTS } from '../../cell/agents-argument.ts';
import type { CellOptions } from '../../cell/mesos/options.ts';
import { answerOf } from './answers.ts';
import { PLATFORM_VARIABLE } from './leftovers.ts';
import { freePort, freePortBlock } from './ports.ts';
import type { SupervisedProcess } from './process.ts';
import { type Supervisor, Wave } from './supervisor.ts';

/** The embedded Mesos and the Marathon on top of it, each a process of its own. */
export interface Cell {
  readonly mesos: SupervisedProcess;
  readonly marathon: SupervisedProcess;
  readonly masterUrl: string;
  readonly marathonUrl: string;
}

/** A Mesos agent to start. */
export interface AgentRequest {
  readonly name: string;
  /** Such as `env:fat`; several are separated by `;`. */
  readonly attributes: string;
}

const ROOT = join(import.meta.dirname, '../..');

const infoAnswer = z.object({ frameworkId: z.string().nullish() });
const agentsAnswer = z.object({ slaves: z.array(z.unknown()) });

/** The cell; not started. */
export async function cell(
  supervisor: Supervisor,
  options: {
    readonly dockerSocket: string;
    readonly agents: readonly AgentRequest[];
    /** Opens `/cell/faults`, of each process its own. */
    readonly faults?: boolean;
  },
): Promise<Cell> {
  const stateDir = join(supervisor.directories.data, 'mesos');
  mkdirSync(stateDir, { recursive: true });
  const masterPort = await freePort();
  const marathonPort = await freePort();
  const masterUrl = `http://127.0.0.1:${masterPort}`;
  const marathonUrl = `http://127.0.0.1:${marathonPort}`;
  const agents = await Promise.all(
    options.agents.map(async ({ name, attributes }) => {
      const first = await freePortBlock(AGENT_PORTS);
      const portRange: [number, number] = [first, first + AGENT_PORTS - 1];
      return { name, attributes, cpus: AGENT_CPUS, mem: AGENT_MEMORY_MIB, portRange, port: await freePort() };
    }),
  );
  const cellOptions: CellOptions = {
    port: masterPort,
    docker: { socketPath: options.dockerSocket },
    agents,
    stateDir,
    taskEnvironment: taskEnvironment(supervisor.directories.root),
  };
  const optionsFile = join(stateDir, 'options.json');
  writeFileSync(optionsFile, JSON.stringify(cellOptions, undefined, 2));
  const faults = options.faults ? ['--faults'] : [];
  const mesos = supervisor.add(Wave.cell, {
    name: 'mesos',
    command: process.execPath,
    args: [join(ROOT, 'cell/mesos/main.ts'), optionsFile, ...faults],
    ready: async () => {
      const { slaves } = agentsAnswer.parse(JSON.parse(await answerOf(`${masterUrl}/slaves`)));
      if (slaves.length < agents.length) {
        throw new Error(`${slaves.length} of ${agents.length} agents have registered`);
      }
    },
    readyWithinMs: 120_000,
    stopWithinMs: 15_000,
  });
  const marathon = supervisor.add(Wave.cell, {
    name: 'marathon',
    command: process.execPath,
    args: [
      ...[join(ROOT, 'cell/marathon/main.ts'), '--master', masterUrl, '--port', String(marathonPort)],
      ...['--state', join(supervisor.directories.data, 'marathon'), ...faults],
    ],
    ready: async () => {
      const { frameworkId } = infoAnswer.parse(JSON.parse(await answerOf(`${marathonUrl}/v2/info`)));
      if (!frameworkId) {
        throw new Error('it has not registered with Mesos yet');
      }
    },
    readyWithinMs: 120_000,
    stopWithinMs: 10_000,
  });
  return { mesos, marathon, masterUrl, marathonUrl };
}

/** Starts Mesos, then Marathon on it. */
export async function startCell({ mesos, marathon }: Cell): Promise<void> {
  await mesos.start();
  await marathon.start();
}

/** What command tasks inherit: enough to find programs, and the mark by which leftovers are found. */
function taskEnvironment(root: string): Record<string, string> {
  const inherited = ['PATH', 'HOME', 'USER', 'LANG', 'TZ', 'TMPDIR'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(inherited), [PLATFORM_VARIABLE]: root };
}
