/** What runs the tasks of an agent: the Docker engine and plain processes, or nothing at all. */
import Docker from 'dockerode';
import type { FaultBoard } from '../faults/board.ts';
import type { AgentOptions } from './agent.ts';
import { Cgroups } from './cgroups.ts';
import { faultyRuntime } from './faults.ts';
import type { CellLog } from './log.ts';
import type { CellSettings } from './options.ts';
import { LaunchError, type Runtime } from './runtime.ts';
import { commandRuntime } from './runtime-command.ts';
import { dockerRuntime } from './runtime-docker.ts';
import { noRuntime } from './runtime-none.ts';

export interface RuntimeContext {
  readonly settings: CellSettings;
  readonly spec: { readonly name: string };
  /** Of this agent alone. */
  readonly directory: string;
  readonly log: CellLog;
  readonly faults: FaultBoard | undefined;
}

/** @param workDirectory sandboxes are below it */
export function runtimesFor(context: RuntimeContext, workDirectory: string): AgentOptions['runtimes'] {
  const { settings, spec, directory, log, faults } = context;
  const { host: address } = settings;
  const faulty = (runtime: Runtime) => faultyRuntime(faults, spec.name, runtime);
  if (!settings.runTasks) {
    const none = faulty(noRuntime(address));
    return { docker: none, command: none };
  }
  const environment = settings.taskEnvironment ?? inheritedEnvironment();
  const cgroups = settings.isolation === 'cgroups' ? new Cgroups(workDirectory) : undefined;
  return {
    docker: faulty(dockerFor(settings, directory, log)),
    command: faulty(commandRuntime({ workDirectory, environment, address, cgroups })),
  };
}

function dockerFor(settings: CellSettings, directory: string, log: CellLog): Runtime {
  if (settings.docker === undefined) return NO_ENGINE;
  const { socketPath } = settings.docker;
  return dockerRuntime({
    connect: (timeout) => new Docker({ socketPath, ...(timeout === undefined ? {} : { timeout }) }),
    socketPath,
    callTimeoutMs: settings.engineCallTimeoutMs,
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

/** Enough to find programs and a home; nothing else of this process leaks into tasks. */
function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    ['PATH', 'HOME', 'USER', 'LANG', 'TZ', 'TMPDIR'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
