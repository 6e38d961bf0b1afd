/** Runs nothing: a task is an entry in the books that ends when it is killed. For a thousand apps on a laptop. */
import { type Execution, type Exit, LaunchError, type Runtime } from './runtime.ts';

const KILLED: Exit = { code: undefined, message: 'Command terminated with signal Terminated' };

/** @param address reported as each task's address */
export function noRuntime(address: string): Runtime {
  return {
    prepare: async () => undefined,
    launch: async () => execution(address),
    // Whatever the books say runs, runs.
    adopt: async () => execution(address),
    removeOrphans: async () => [],
  };
}

function execution(address: string): Execution {
  const { promise, resolve } = Promise.withResolvers<Exit>();
  return {
    pid: undefined,
    address,
    exited: promise,
    kill: () => resolve(KILLED),
    check: async () => {
      throw new LaunchError('A check has nothing to look at: this agent runs no task for real');
    },
    dispose: async () => undefined,
  };
}
