import { join } from 'node:path';
import { z } from 'zod';
import { hostTaskQueue, TASK_QUEUE } from '../../workflows/contract.ts';
import { answerOf } from './answers.ts';
import { frontendAnswers } from './balancer.ts';
import { HOST } from './configuration-file.ts';
import type { ProcessSpec, SupervisedProcess } from './process.ts';
import { type Supervisor, Wave } from './supervisor.ts';
import type { TemporalServer } from './temporal.ts';

/** The processes of Slipway itself. */
export interface SlipwayProcesses {
  readonly orchestrator: SupervisedProcess;
  readonly node: SupervisedProcess;
  readonly discovery: SupervisedProcess;
  readonly api: SupervisedProcess;
}

export interface SlipwayOptions {
  readonly configurationFile: string;
  readonly temporal: TemporalServer;
  readonly apiUrl: string;
  readonly frontendPorts: readonly number[];
}

/** The orchestrator first bundles its workflows, which takes a minute on a machine that is busy with much else. */
const READY_WITHIN_MS = 180_000;
const WORKERS = join(import.meta.dirname, '../../workers');

const pollersAnswer = z.object({
  pollers: z.array(z.object({ identity: z.string() })).default([]),
});

/** The processes; not started. */
export function slipwayProcesses(supervisor: Supervisor, options: SlipwayOptions): SlipwayProcesses {
  const add = (name: string, more: Pick<ProcessSpec, 'ready'> & Partial<ProcessSpec>): SupervisedProcess =>
    supervisor.add(Wave.slipway, {
      name,
      command: process.execPath,
      args: [join(WORKERS, `${name}.ts`)],
      readyWithinMs: READY_WITHIN_MS,
      stopWithinMs: 15_000,
      ...more,
      env: {
        SLIPWAY_CONFIG: options.configurationFile,
        SLIPWAY_CACHE: join(supervisor.directories.data, 'cache'),
        ...more.env,
      },
    });
  return {
    orchestrator: add('orchestrator', { ready: pollsTaskQueue(options.temporal, TASK_QUEUE) }),
    node: add('node', { env: { SLIPWAY_HOST: HOST }, ready: pollsTaskQueue(options.temporal, hostTaskQueue(HOST)) }),
    discovery: add('discovery', {
      // It tells the balancer, by Consul, where the frontends are: they answer when all of that chain works.
      ready: async () => {
        await Promise.all(options.frontendPorts.map(frontendAnswers));
      },
    }),
    api: add('api', {
      ready: async () => {
        await answerOf(`${options.apiUrl}/readyz`);
      },
    }),
  };
}

/**
 * Ready when the process asks the task queue for work. By its pid, with which a worker's identity begins: Temporal
 * remembers who asked for minutes, and notes the time once more when the connection of one that has died breaks.
 */
function pollsTaskQueue(temporal: TemporalServer, queue: string): ProcessSpec['ready'] {
  return async (pid) => {
    const url = `${temporal.namespaceUrl}/task-queues/${queue}?taskQueueType=TASK_QUEUE_TYPE_ACTIVITY`;
    const { pollers } = pollersAnswer.parse(JSON.parse(await answerOf(url)));
    if (!pollers.some(({ identity }) => identity.startsWith(`${pid}@`))) {
      throw new Error(`nobody asks task queue ${queue} for work`);
    }
  };
}
