import { jest } from '@jest/globals';
import { playGolden } from './marathon/golden-play.ts';
import type { Stage } from './marathon/stage.ts';

/** Records of a real Marathon 1.11.26 whose subject is an agent that dies and comes back. */

jest.setTimeout(60_000);

/** Marathon's own times. */
const DEFAULT_TIMES = {
  expungeInitialDelayMs: 300_000,
  expungeIntervalMs: 30_000,
  reconciliationInitialDelayMs: 15_000,
  reconciliationIntervalMs: 600_000,
};

/** The recorder's executors died with their agent. */
async function killAndStart(note: string, stage: Stage): Promise<void> {
  if (note === 'agent3 killed') {
    stage.mesos.partition('agent3');
    stage.killTasks('agent3');
  } else {
    await stage.mesos.heal('agent3');
  }
}

playGolden('agent-lost', {
  stage: { mesos: { agentTimeoutMs: 500 }, marathon: { lost: DEFAULT_TIMES } },
  onNote: killAndStart,
});
