import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OperatorClient } from '../../activities/mesos/operator-client.ts';
import { PLATFORM_VARIABLE } from '../../local/platform/leftovers.ts';
import { freePort } from '../../local/platform/ports.ts';
import type { SupervisedProcess } from '../../local/platform/process.ts';
import { processesWithEnvironment, signalProcess } from '../../local/platform/process-identity.ts';
import { Supervisor, Wave } from '../../local/platform/supervisor.ts';
import { ensureToolbox } from '../../local/toolbox/toolbox.ts';
import {
  type AgentSetup,
  type AgentUnderTest,
  agentTimeoutMs,
  CutOff,
  type MesosSetup,
  type MesosUnderTest,
  portRangeOf,
  taskEnvironmentOf,
} from './mesos-under-test.ts';

const HOST = '127.0.0.1';
const READY_WITHIN_MS = 120_000;
/** An agent gives executors 5 s to shut down. */
const TASKS_END_WITHIN_MS = 8_000;

interface Running {
  readonly operator: OperatorClient;
  readonly masterUrl: string;
  /** What every process of it carries as PLATFORM_VARIABLE. */
  readonly root: string;
  readonly masterPid: number | undefined;
}

interface RealAgent {
  readonly setup: AgentSetup;
  readonly url: string;
  readonly process: SupervisedProcess;
}

/**
 * A real Mesos 1.11.0: a master and its agents as processes of their own, on loopback, in a temporary directory. The
 * settings are Mesos' own flags as MESOS_* variables.
 */
export async function startRealMesos(setup: MesosSetup): Promise<MesosUnderTest> {
  const mesosd = (await ensureToolbox(['mesos'], () => {})).path('mesos');
  const root = mkdtempSync(join(tmpdir(), 'slipway-mesos-'));
  const supervisor = await Supervisor.open({ dir: root, log: () => {} });
  const stopAll = async () => {
    await supervisor.stop();
    rmSync(root, { recursive: true, force: true });
  };
  try {
    return await startIn(supervisor, mesosd, setup, stopAll);
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function startIn(
  supervisor: Supervisor,
  mesosd: string,
  setup: MesosSetup,
  stopAll: () => Promise<void>,
): Promise<MesosUnderTest> {
  const { data } = supervisor.directories;
  const masterPort = await freePort();
  const masterUrl = `http://${HOST}:${masterPort}`;
  const operator = new OperatorClient({ master: masterUrl, timeoutMs: 20_000 });
  const isRegistered = async (name: string): Promise<void> => {
    const agents = await operator.getAgents();
    if (!agents.some(({ agent_info, active }) => active && agent_info.hostname === name)) {
      throw new Error(`agent ${name} has not registered`);
    }
  };
  const master = supervisor.add(Wave.systems, {
    name: 'master',
    command: mesosd,
    args: ['master'],
    env: masterSettings(setup, join(data, 'master'), masterPort),
    ready: async () => {
      await operator.getAgents();
    },
    readyWithinMs: READY_WITHIN_MS,
    stopWithinMs: 5_000,
  });
  const launcherDirectory = join(data, 'launcher');
  layOutLauncher(launcherDirectory, mesosd);
  const executors = { ...taskEnvironmentOf(setup), [PLATFORM_VARIABLE]: supervisor.directories.root };
  const agents: RealAgent[] = [];
  for (const agent of setup.agents) {
    const port = await freePort();
    const process = supervisor.add(Wave.cell, {
      name: agent.name,
      command: mesosd,
      args: ['agent'],
      env: {
        ...(await agentSettings(agent, join(data, agent.name), port)),
        ...(setup.dockerSocket === undefined
          ? { MESOS_CONTAINERIZERS: 'mesos' }
          : { MESOS_CONTAINERIZERS: 'mesos,docker', MESOS_DOCKER_SOCKET: setup.dockerSocket }),
        MESOS_MASTER: `${HOST}:${masterPort}`,
        MESOS_LAUNCHER_DIR: launcherDirectory,
        MESOS_EXECUTOR_ENVIRONMENT_VARIABLES: JSON.stringify(executors),
      },
      ready: () => isRegistered(agent.name),
      readyWithinMs: READY_WITHIN_MS,
      stopWithinMs: 5_000,
    });
    agents.push({ setup: agent, url: `http://${HOST}:${port}`, process });
  }
  // Agents that come one after the other get their ids in that order.
  await master.start();
  for (const { process } of agents) await process.start();

  const byName = (name: string): RealAgent => {
    const found = agents.find(({ setup: { name: own } }) => own === name);
    if (found === undefined) throw new Error(`no agent ${name}`);
    return found;
  };
  const signal = (name: string, which: 'SIGSTOP' | 'SIGCONT'): void => {
    const { pid } = byName(name).process;
    if (pid === undefined) throw new Error(`agent ${name} does not run`);
    signalProcess(pid, which);
  };
  const silent = new CutOff((name) => signal(name, 'SIGCONT'));
  const broken = new CutOff((name) => byName(name).process.start());
  return {
    kind: 'real',
    masterUrl,
    agents: await described(operator, agents),
    partition: (name) => {
      signal(name, 'SIGSTOP');
      silent.add(name);
    },
    heal: (name) => silent.bringBack(name),
    breakOff: async (name) => {
      await byName(name).process.kill9();
      broken.add(name);
    },
    comeBack: (name) => broken.bringBack(name),
    restoreAgents: async () => {
      await silent.bringAllBack();
      await broken.bringAllBack();
    },
    stop: async () => {
      await silent.bringAllBack();
      const { root } = supervisor.directories;
      try {
        await endTasks({ operator, masterUrl, root, masterPid: master.pid }, agents);
      } finally {
        await stopAll();
      }
    },
  };
}

function masterSettings(setup: MesosSetup, directory: string, port: number): Record<string, string> {
  return {
    MESOS_IP: HOST,
    MESOS_PORT: String(port),
    MESOS_WORK_DIR: directory,
    MESOS_ALLOCATION_INTERVAL: '50ms',
    MESOS_AGENT_PING_TIMEOUT: '1secs',
    MESOS_MAX_AGENT_PING_TIMEOUTS: String(agentTimeoutMs(setup, 'real') / 1000),
  };
}

async function agentSettings(agent: AgentSetup, directory: string, port: number): Promise<Record<string, string>> {
  const [first, last] = await portRangeOf(agent);
  return {
    MESOS_IP: HOST,
    MESOS_PORT: String(port),
    MESOS_HOSTNAME: agent.name,
    MESOS_ATTRIBUTES: agent.attributes,
    MESOS_RESOURCES: `cpus:${agent.cpus ?? 4};mem:${agent.mem ?? 4096};disk:10000;ports:[${first}-${last}];${agent.reserved ?? ''}`,
    MESOS_WORK_DIR: join(directory, 'work'),
    MESOS_RUNTIME_DIR: join(directory, 'run'),
    MESOS_FETCHER_CACHE_DIR: join(directory, 'fetch'),
    MESOS_LAUNCHER: 'posix',
    MESOS_ISOLATION: 'posix/cpu,posix/mem',
    MESOS_SYSTEMD_ENABLE_SUPPORT: 'false',
    // Agents share an engine and must leave each other's containers alone.
    MESOS_DOCKER_KILL_ORPHANS: 'false',
    MESOS_DOCKER_REMOVE_DELAY: '1ms',
  };
}

/** What an agent looks for beside its own program. The package lacks the executors; ours takes the place of both. */
function layOutLauncher(directory: string, mesosd: string): void {
  mkdirSync(directory, { recursive: true });
  symlinkSync(mesosd, join(directory, 'mesos-containerizer'));
  for (const name of ['mesos-executor', 'mesos-docker-executor']) {
    symlinkSync(join(import.meta.dirname, 'executor.py'), join(directory, name));
  }
}

async function described(operator: OperatorClient, agents: readonly RealAgent[]): Promise<readonly AgentUnderTest[]> {
  const known = await operator.getAgents();
  return agents.map(({ setup: { name, attributes }, url }) => {
    const id = known.find(({ agent_info }) => agent_info.hostname === name)?.agent_info.id.value;
    if (id === undefined) throw new Error(`agent ${name} has gone`);
    return { id, name, attributes, url };
  });
}

/** Removes every framework, so that the agents end the tasks and containers as they would in production. */
async function endTasks(
  { operator, masterUrl, root, masterPid }: Running,
  agents: readonly RealAgent[],
): Promise<void> {
  const { frameworks } = (await operator.getState()).get_frameworks;
  for (const { framework_info } of frameworks) {
    await fetch(`${masterUrl}/api/v1`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ type: 'TEARDOWN', teardown: { framework_id: framework_info.id } }),
    });
  }
  // Not what the agents say: one whose framework is removed at the moment of a launch shows that executor for ever.
  const launchers = new Set([masterPid, ...agents.map(({ process }) => process.pid)]);
  const left = () => processesWithEnvironment(PLATFORM_VARIABLE, root).filter(({ pid }) => !launchers.has(pid));
  const deadline = performance.now() + TASKS_END_WITHIN_MS;
  // What takes longer is killed with the agents.
  while (left().length > 0 && performance.now() < deadline) await delay(50);
}
