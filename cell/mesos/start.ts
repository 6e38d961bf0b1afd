/** Puts a master and its agents together and starts them in this process. */
import { join, resolve } from 'node:path';
import Docker from 'dockerode';
import { z } from 'zod';
import type { FaultBoard } from '../faults/board.ts';
import { faultyHandler, faultyRuntime } from '../faults/mesos-faults.ts';
import { Agent, type AgentOptions } from './agent.ts';
import { agentHandler } from './agent-http.ts';
import { parseAttributes } from './attributes.ts';
import { type Handler, type HttpServer, listen, Refusal } from './http-server.ts';
import { lockDirectory, unlockDirectory } from './lock.ts';
import { type CellLog, SILENT } from './log.ts';
import { Master } from './master.ts';
import { masterHandler } from './master-http.ts';
import { type CellOptions, type CellSettings, cellOptionsSchema } from './options.ts';
import { type Amounts, amountsOf, resourcesOf } from './resources.ts';
import { LaunchError, type Runtime } from './runtime.ts';
import { commandRuntime } from './runtime-command.ts';
import { dockerRuntime } from './runtime-docker.ts';
import { noRuntime } from './runtime-none.ts';
import { Store } from './store.ts';
import { taskRecordSchema } from './task-record.ts';

/** For every call to the engine that should answer at once. */
const ENGINE_TIMEOUT_MS = 60_000;

const portSchema = z.object({ port: z.number() });
const identitySchema = z.object({ id: z.string(), port: z.number(), spec: z.string() });

export interface RunningAgent {
  readonly id: string;
  readonly name: string;
  /** Such as `http://127.0.0.1:5051`. */
  readonly url: string;
}

export interface MesosCell {
  /** Such as `http://127.0.0.1:5050`. */
  readonly masterUrl: string;
  readonly agents: readonly RunningAgent[];
  /** Cuts an agent off its master; its tasks go on. After `agentTimeoutMs` they count as unreachable. */
  partition(agentName: string): void;
  /** The same, and its tasks count as unreachable at once. */
  lose(agentName: string): void;
  /** The agent is back. */
  heal(agentName: string): void;
  /** The master is gone, with its streams, until the next `electMaster`. */
  loseMaster(): void;
  /** Another master, with another id, takes up what is stored; the agents register with it. */
  electMaster(): void;
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
  lockDirectory(stateDir);
  const store = new Store(stateDir);
  const stores = [store];
  const letGo = () => {
    for (const each of stores) each.close();
    unlockDirectory(stateDir);
  };

  let handle: Handler = () => {
    throw new Refusal(503, 'Master is recovering');
  };
  const { host } = settings;
  const server = await listen(
    { host, port: settings.port, preferredPort: store.read('master', portSchema)?.port, log },
    faultyHandler(faults, 'mesos', (request, response) => handle(request, response)),
  ).catch((error: unknown) => {
    letGo();
    throw error;
  });
  store.write('master', { port: server.port });
  const opened: HttpServer[] = [server];
  const newMaster = () =>
    new Master({
      ip: host,
      hostname: host,
      port: server.port,
      store,
      heartbeatMs: settings.heartbeatMs,
      streamCutSeed: settings.streamCutSeed,
      allocationIntervalMs: settings.allocationIntervalMs,
      agentTimeoutMs: settings.agentTimeoutMs,
      isWithheld: (agentId) =>
        faults?.isWithheld(agents.find(({ agent }) => agent.id === agentId)?.name ?? '') === true,
    });
  let master: Master | undefined = newMaster();
  const agents: { readonly name: string; readonly agent: Agent }[] = [];
  const apart = new Set<Agent>();
  const context = { settings, log, faults };
  try {
    master.recover();
    for (const spec of settings.agents) {
      const agentStore = new Store(join(stateDir, 'agents', spec.name));
      stores.push(agentStore);
      const { agent, server: agentServer } = await startAgent(context, spec, agentStore, master.id);
      opened.push(agentServer);
      agents.push({ name: spec.name, agent });
    }
  } catch (error) {
    master.stop();
    await Promise.all(opened.map((each) => each.close()));
    letGo();
    throw error;
  }

  const begin = (elected: Master): void => {
    for (const { agent } of agents) {
      elected.register(agent);
      // A master knows from its registry of agents that it hears nothing of, and waits for them for their time.
      if (apart.has(agent)) elected.agentDisconnected(agent.id);
      else agent.connect(elected);
    }
    handle = masterHandler(elected);
    elected.start();
  };
  const byName = (name: string): Agent => {
    const found = agents.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no agent ${name}; there are ${names.join(', ')}`);
    return found.agent;
  };
  const cell: MesosCell = {
    masterUrl: `http://${host}:${server.port}`,
    agents: agents.map(({ name, agent }) => ({ id: agent.id, name, url: `http://${host}:${agent.port}` })),
    partition: (name) => {
      const agent = byName(name);
      apart.add(agent);
      agent.disconnect();
      master?.agentDisconnected(agent.id);
    },
    lose: (name) => {
      cell.partition(name);
      master?.agentDisconnected(byName(name).id, 0);
    },
    heal: (name) => {
      const agent = byName(name);
      apart.delete(agent);
      if (master === undefined) return;
      master.register(agent);
      agent.connect(master);
    },
    loseMaster: () => {
      if (master === undefined) return;
      for (const { agent } of agents) agent.disconnect();
      master.stop();
      master = undefined;
      handle = () => {
        throw new Refusal(503, 'No leader elected');
      };
    },
    electMaster: () => {
      if (master !== undefined) return;
      const elected = newMaster();
      elected.recover();
      master = elected;
      begin(elected);
    },
    stop: async () => {
      master?.stop();
      await server.close();
      for (const { agent } of agents) agent.disconnect();
      const stopped = await Promise.allSettled(agents.map(({ agent }) => agent.stop(settings.stopGraceMs)));
      await Promise.all(opened.map((each) => each.close()));
      letGo();
      for (const outcome of stopped) if (outcome.status === 'rejected') throw outcome.reason;
    },
  };
  begin(master);
  faults?.attachMesos({
    agents: names,
    setAgent: (name, fault) => {
      if (fault === undefined) cell.heal(name);
      else if (fault === 'lost') cell.lose(name);
      else cell.partition(name);
    },
    offersChanged: () => master?.withheldChanged(),
    setMaster: (state) => (state === 'away' ? cell.loseMaster() : cell.electMaster()),
  });
  return cell;
}

interface StartContext {
  readonly settings: CellSettings;
  /** Absolute. */
  readonly log: CellLog;
  readonly faults: FaultBoard | undefined;
}

type AgentSpec = CellSettings['agents'][number];

async function startAgent(
  context: StartContext,
  spec: AgentSpec,
  store: Store,
  masterId: string,
): Promise<{ readonly agent: Agent; readonly server: HttpServer }> {
  const { settings, log } = context;
  const { host } = settings;
  const { directory } = store;
  const workDirectory = join(directory, 'work');
  const attributes = parseAttributes(spec.attributes);
  const total = totalOf(spec);
  const shape = JSON.stringify({ attributes, total: resourcesOf(total) });
  const known = store.read('agent', identitySchema);
  if (known !== undefined && known.spec !== shape && hasLiveTasks(store)) {
    throw new Error(
      `agent ${spec.name} has tasks and its attributes or resources changed (${known.spec} became ${shape}); ` +
        'start it as it was and end them, or remove its directory in stateDir',
    );
  }
  const index = settings.agents.indexOf(spec);
  const id = known?.spec === shape ? known.id : `${masterId}-S${index}`;

  let handle: Handler = () => {
    throw new Refusal(503, 'Agent is recovering');
  };
  const server = await listen(
    { host, port: spec.port, preferredPort: known?.port, log },
    faultyHandler(context.faults, 'agent', (request, response) => handle(request, response)),
  );
  store.write('agent', { id, port: server.port, spec: shape });
  const agent = new Agent({
    id,
    hostname: spec.hostname ?? spec.name,
    ip: host,
    port: server.port,
    attributes,
    total,
    store,
    workDirectory,
    runtimes: runtimesFor(context, spec.name, directory, workDirectory),
    log,
  });
  try {
    await agent.recover();
  } catch (error) {
    await server.close();
    throw error;
  }
  handle = agentHandler(agent, workDirectory);
  return { agent, server };
}

function runtimesFor(
  { settings, log, faults }: StartContext,
  agentName: string,
  directory: string,
  workDirectory: string,
): AgentOptions['runtimes'] {
  const { host: address } = settings;
  if (!settings.runTasks) {
    const none = faultyRuntime(faults, agentName, noRuntime(address));
    return { docker: none, command: none };
  }
  const environment = settings.taskEnvironment ?? inheritedEnvironment();
  return {
    docker: faultyRuntime(faults, agentName, dockerFor(settings, directory, log)),
    command: faultyRuntime(faults, agentName, commandRuntime({ workDirectory, environment, address })),
  };
}

function dockerFor(settings: CellSettings, directory: string, log: CellLog): Runtime {
  if (settings.docker === undefined) return NO_ENGINE;
  const { socketPath } = settings.docker;
  return dockerRuntime({
    engine: new Docker({ socketPath, timeout: ENGINE_TIMEOUT_MS }),
    longEngine: new Docker({ socketPath }),
    agent: directory,
    address: settings.host,
    pullSilenceMs: settings.pullSilenceMs,
    log,
  });
}

const NO_ENGINE: Runtime = {
  prepare: () => Promise.reject(new LaunchError('Failed to launch container: this agent has no Docker engine')),
  launch: () => Promise.reject(new LaunchError('Failed to launch container: this agent has no Docker engine')),
  adopt: () => Promise.resolve(undefined),
  removeOrphans: () => Promise.resolve([]),
};

function totalOf(spec: AgentSpec): Amounts {
  const [begin, end] = spec.portRange;
  if (begin > end) throw new Error(`agent ${spec.name}: portRange ${begin}-${end} is empty`);
  return amountsOf([
    { name: 'cpus', type: 'SCALAR', scalar: { value: spec.cpus } },
    { name: 'mem', type: 'SCALAR', scalar: { value: spec.mem } },
    { name: 'disk', type: 'SCALAR', scalar: { value: spec.disk } },
    { name: 'ports', type: 'RANGES', ranges: { range: [{ begin, end }] } },
  ]);
}

function hasLiveTasks(store: Store): boolean {
  return store.list('tasks').some((name) => store.read(name, taskRecordSchema)?.phase !== 'ended');
}

/** Enough to find programs and a home; nothing else of this process leaks into tasks. */
function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    ['PATH', 'HOME', 'USER', 'LANG', 'TZ', 'TMPDIR'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
