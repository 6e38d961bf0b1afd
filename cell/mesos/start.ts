/** Puts a master and its agents together and starts them in this process. */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Agent } from './agent.ts';
import { AgentHost } from './agent-host.ts';
import { forgetAgent, registerAgent } from './agent-life.ts';
import { agentDisconnected } from './agent-removal.ts';
import { type Handler, listen, Refusal } from './http-server.ts';
import { type CellLog, SILENT } from './log.ts';
import { type MachineId, sameMachine } from './machine.ts';
import { Master } from './master.ts';
import { masterHandler } from './master-http.ts';
import { recoverMaster, stopMaster } from './master-life.ts';
import { type CellOptions, cellOptionsSchema } from './options.ts';
import { findProcess, isAlive } from './processes.ts';
import { Store } from './store.ts';

const lockSchema = z.object({ pid: z.number(), startTicks: z.number() });
const portSchema = z.object({ port: z.number() });

export interface RunningAgent {
  readonly id: string;
  readonly name: string;
  /** Such as `http://127.0.0.1:5051`. */
  readonly url: string;
}

export interface MesosCell {
  /** Such as `http://127.0.0.1:5050`. */
  readonly masterUrl: string;
  /** Those that run now, in the order of the options. */
  readonly agents: readonly RunningAgent[];
  /** Cuts an agent off its master; its tasks go on. After `agentTimeoutMs` they count as unreachable. */
  partition(agentName: string): void;
  /** The agent is back; one that was shut down is started anew, with a new id. */
  heal(agentName: string): Promise<void>;
  /**
   * Kills every task, waits until no container and no process of the cell is left, and closes every port. Rejects
   * after all of that when tasks could not be ended, for instance because the engine is gone.
   */
  stop(): Promise<void>;
}

/**
 * Starts a cell. On a `stateDir` of an earlier run, whatever became of it, running tasks are taken up, what ended
 * meanwhile is told, and what has no record is removed. Throws when the options are wrong, a port is taken, the
 * directory belongs to a live cell, or an agent's attributes or resources changed while it has tasks.
 */
export async function startMesos(options: CellOptions, log: CellLog = SILENT): Promise<MesosCell> {
  const settings = cellOptionsSchema.parse(options);
  const stateDir = resolve(settings.stateDir);
  const names = settings.agents.map(({ name }) => name);
  if (new Set(names).size < names.length) throw new Error(`agent names must differ: ${names.join(', ')}`);
  const store = new Store(stateDir);
  lock(store);

  let handle: Handler = () => {
    throw new Refusal(503, 'Master is recovering');
  };
  const { host } = settings;
  const server = await listen(
    { host, port: settings.port, preferredPort: store.read('master', portSchema)?.port, log },
    (request, response) => handle(request, response),
  );
  store.write('master', { port: server.port });
  const master = new Master({
    ip: host,
    hostname: host,
    port: server.port,
    store,
    heartbeatMs: settings.heartbeatMs,
    allocationIntervalMs: settings.allocationIntervalMs,
    agentTimeoutMs: settings.agentTimeoutMs,
    agentReregisterTimeoutMs: settings.agentReregisterTimeoutMs,
    machineUp: (machine) => bringUp(machine),
  });
  const hosts = settings.agents.map(
    (spec) =>
      new AgentHost({
        settings,
        spec,
        directory: join(stateDir, 'agents', spec.name),
        log,
        newId: () => master.newAgentId(),
      }),
  );
  const bringUp = (machine: MachineId): void => {
    for (const each of hosts.filter(({ hostname }) => sameMachine({ hostname, ip: host }, machine))) {
      const joined = each.ended.then(() => joinMaster(master, each));
      joined.catch((error: unknown) => log.warn(`starting agent ${each.name} again`, error));
    }
  };
  try {
    recoverMaster(master);
    // All tasks are found before the first agent tells of its own.
    for (const each of hosts) await startHost(master, each);
    for (const each of hosts) await joinMaster(master, each);
  } catch (error) {
    stopMaster(master);
    await Promise.all([server.close(), ...hosts.map((each) => each.close())]);
    store.remove('lock');
    throw error;
  }
  handle = masterHandler(master);
  master.rounds.start(settings.allocationIntervalMs);

  const byName = (name: string): AgentHost => {
    const found = hosts.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no agent ${name}; there are ${names.join(', ')}`);
    return found;
  };
  return {
    masterUrl: `http://${host}:${server.port}`,
    get agents() {
      return hosts.flatMap(({ name, agent }) =>
        agent === undefined ? [] : { id: agent.id, name, url: `http://${host}:${agent.port}` },
      );
    },
    partition: (name) => {
      const { agent } = byName(name);
      if (agent === undefined) return;
      agent.disconnect();
      agentDisconnected(master, agent.id);
    },
    heal: async (name) => {
      const each = byName(name);
      await each.ended;
      await joinMaster(master, each);
    },
    stop: async () => {
      stopMaster(master);
      await server.close();
      const stopped = await Promise.allSettled(hosts.map((each) => each.stop(settings.stopGraceMs)));
      await Promise.all(hosts.map((each) => each.close()));
      store.remove('lock');
      for (const outcome of stopped) if (outcome.status === 'rejected') throw outcome.reason;
    },
  };
}

async function startHost(master: Master, host: AgentHost): Promise<Agent> {
  const { agent, replaced } = await host.start();
  if (replaced !== undefined) forgetAgent(master, replaced);
  return agent;
}

/**
 * Lets an agent register, after starting it if it does not run. One whose id is gone for ever ends its tasks and is
 * started anew; one whose machine is down stays away.
 */
async function joinMaster(master: Master, host: AgentHost): Promise<void> {
  const agent = host.agent ?? (await startHost(master, host));
  const wasGone = master.standing(agent.id) === 'gone';
  if (registerAgent(master, agent)) {
    agent.connect(master);
    return;
  }
  await host.ended;
  if (wasGone) await joinMaster(master, host);
}

/** Two cells on one directory would run everything twice. The lock of a dead process counts for nothing. */
function lock(store: Store): void {
  const holder = store.read('lock', lockSchema);
  const me = findProcess(process.pid);
  if (holder !== undefined && holder.pid !== process.pid && isAlive(holder)) {
    throw new Error(`${store.directory} is in use by the cell with pid ${holder.pid}; stop it first`);
  }
  store.write('lock', { pid: process.pid, startTicks: me?.startTicks ?? 0 });
}
