/** Puts a master and its agents together and starts them in this process. */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { FaultBoard } from '../faults/board.ts';
import type { Agent } from './agent.ts';
import { AgentHost } from './agent-host.ts';
import { forgetAgent, registerAgent } from './agent-life.ts';
import { agentDisconnected } from './agent-removal.ts';
import { watchEngine } from './engine-watch.ts';
import { faultyHandler } from './faults.ts';
import { type Handler, type HttpServer, listen, Refusal } from './http-server.ts';
import { lockDirectory, unlockDirectory } from './lock.ts';
import { type CellLog, SILENT } from './log.ts';
import { type MachineId, sameMachine } from './machine.ts';
import { Master } from './master.ts';
import { masterHandler } from './master-http.ts';
import { recoverMaster, stopMaster } from './master-life.ts';
import { type CellOptions, cellOptionsSchema } from './options.ts';
import { type Cause, Separations } from './separations.ts';
import { Store } from './store.ts';

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
  /** The same, and its tasks count as unreachable at once. */
  lose(agentName: string): void;
  /** The agent is back; one that was shut down is started anew, with a new id. */
  heal(agentName: string): Promise<void>;
  /** The master is gone, with its streams, until the next `electMaster`. */
  loseMaster(): void;
  /** Another master, with another id, takes up what is stored; the agents register with it. */
  electMaster(): Promise<void>;
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
 * @param faults switches; without them nothing can be made to go wrong
 */
export async function startMesos(options: CellOptions, log: CellLog = SILENT, faults?: FaultBoard): Promise<MesosCell> {
  const settings = cellOptionsSchema.parse(options);
  const stateDir = resolve(settings.stateDir);
  const names = settings.agents.map(({ name }) => name);
  if (new Set(names).size < names.length) throw new Error(`agent names must differ: ${names.join(', ')}`);
  const store = openLocked(stateDir);
  const hosts: AgentHost[] = [];
  const letGo = async () => {
    await Promise.all(hosts.map((each) => each.close()));
    store.close();
    unlockDirectory(stateDir);
  };

  let handle: Handler = () => {
    throw new Refusal(503, 'Master is recovering');
  };
  const { host } = settings;
  let server: HttpServer;
  try {
    for (const spec of settings.agents) {
      const newId = () => (master ?? first).newAgentId();
      hosts.push(new AgentHost({ settings, spec, directory: join(stateDir, 'agents', spec.name), log, faults, newId }));
    }
    server = await listen(
      { host, port: settings.port, preferredPort: store.read('master', portSchema)?.port, log },
      faultyHandler(faults, 'mesos', (request, response) => handle(request, response)),
    );
  } catch (error) {
    await letGo();
    throw error;
  }
  store.write('master', { port: server.port });
  const newMaster = (): Master =>
    new Master({
      ip: host,
      hostname: host,
      port: server.port,
      store,
      heartbeatMs: settings.heartbeatMs,
      streamCutSeed: settings.streamCutSeed,
      allocationIntervalMs: settings.allocationIntervalMs,
      agentTimeoutMs: settings.agentTimeoutMs,
      agentReregisterTimeoutMs: settings.agentReregisterTimeoutMs,
      machineUp: (machine) => bringUp(machine),
      isWithheld: (agentId) =>
        faults?.isWithheld(hosts.find(({ agent }) => agent?.id === agentId)?.name ?? '') === true,
    });
  const first = newMaster();
  let master: Master | undefined = first;
  const apart = new Separations<AgentHost>();
  const bringUp = (machine: MachineId): void => {
    for (const each of hosts.filter(({ hostname }) => sameMachine({ hostname, ip: host }, machine))) {
      // One that is cut off registers when it no longer is.
      const joined = each.ended.then(() =>
        master === undefined || apart.has(each) ? undefined : joinMaster(master, each),
      );
      joined.catch((error: unknown) => log.warn(`starting agent ${each.name} again`, error));
    }
  };
  const separate = (each: AgentHost, cause: Cause, timeoutMs?: number): void => {
    apart.add(each, cause);
    each.agent?.disconnect();
    if (master !== undefined && each.agent !== undefined) agentDisconnected(master, each.agent.id, timeoutMs);
  };
  const rejoin = async (each: AgentHost, cause: Cause): Promise<void> => {
    if (!apart.end(each, cause)) return;
    if (each.agent === undefined) await each.ended;
    if (master !== undefined) await joinMaster(master, each);
  };
  const watch = watchEngine(settings, {
    lost: () => {
      for (const each of hosts) separate(each, 'engine');
    },
    back: async () => {
      await Promise.all(hosts.map(({ agent }) => agent?.sweep()));
      for (const each of hosts) await rejoin(each, 'engine');
    },
    log,
  });
  const closeAll = async () => {
    watch.stop();
    await server.close();
    await letGo();
  };
  /** Those that are cut off are known to it from its registry, and it waits for them for their time. */
  const begin = async (elected: Master): Promise<void> => {
    for (const each of hosts) if (!apart.has(each)) await joinMaster(elected, each);
    handle = masterHandler(elected, settings.jsonAliases);
    elected.rounds.start(settings.allocationIntervalMs);
  };
  try {
    recoverMaster(first);
    const sweep = await watch.start();
    // All tasks are found before the first agent tells of its own.
    for (const each of hosts) await startHost(first, each, { sweep });
    if (watch.isLost) for (const each of hosts) apart.add(each, 'engine');
    await begin(first);
  } catch (error) {
    stopMaster(first);
    await closeAll();
    throw error;
  }

  const byName = (name: string): AgentHost => {
    const found = hosts.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no agent ${name}; there are ${names.join(', ')}`);
    return found;
  };
  const cell: MesosCell = {
    masterUrl: `http://${host}:${server.port}`,
    get agents() {
      return hosts.flatMap(({ name, agent }) =>
        agent === undefined ? [] : { id: agent.id, name, url: `http://${host}:${agent.port}` },
      );
    },
    partition: (name) => separate(byName(name), 'partition'),
    lose: (name) => separate(byName(name), 'partition', 0),
    heal: (name) => rejoin(byName(name), 'partition'),
    loseMaster: () => {
      if (master === undefined) return;
      for (const { agent } of hosts) agent?.disconnect();
      stopMaster(master);
      master = undefined;
      handle = () => {
        throw new Refusal(503, 'No leader elected');
      };
    },
    electMaster: async () => {
      if (master !== undefined) return;
      const elected = newMaster();
      recoverMaster(elected);
      master = elected;
      await begin(elected);
    },
    stop: async () => {
      watch.stop();
      if (master !== undefined) stopMaster(master);
      await server.close();
      const stopped = await Promise.allSettled(hosts.map((each) => each.stop(settings.stopGraceMs)));
      await closeAll();
      for (const outcome of stopped) if (outcome.status === 'rejected') throw outcome.reason;
    },
  };
  faults?.attachMesos({
    agents: names,
    setAgent: (name, fault) => {
      if (fault === undefined) return cell.heal(name);
      return fault === 'lost' ? cell.lose(name) : cell.partition(name);
    },
    offersChanged: () => master?.withheldChanged(),
    setMaster: (state) => (state === 'away' ? cell.loseMaster() : cell.electMaster()),
  });
  return cell;
}

/** The master's records, in a directory that is this process' now. Throws when it belongs to another, or they are damaged. */
function openLocked(stateDir: string): Store {
  lockDirectory(stateDir);
  try {
    return new Store(stateDir);
  } catch (error) {
    unlockDirectory(stateDir);
    throw error;
  }
}

async function startHost(master: Master, host: AgentHost, options: { readonly sweep: boolean }): Promise<Agent> {
  const { agent, replaced } = await host.start(options);
  if (replaced !== undefined) forgetAgent(master, replaced);
  return agent;
}

/**
 * Lets an agent register, after starting it if it does not run. One whose id is gone for ever ends its tasks and is
 * started anew; one whose machine is down stays away.
 */
async function joinMaster(master: Master, host: AgentHost): Promise<void> {
  const agent = host.agent ?? (await startHost(master, host, { sweep: true }));
  const wasGone = master.standing(agent.id) === 'gone';
  if (registerAgent(master, agent)) {
    agent.connect(master);
    return;
  }
  await host.ended;
  if (wasGone) await joinMaster(master, host);
}
