import { jest } from '@jest/globals';
import { until } from '../integration/mesos-until.ts';
import { offer, withhold } from './marathon/agent-offers.ts';
import { ask } from './marathon/asking.ts';
import { AGENTS, playGolden } from './marathon/golden-play.ts';
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

async function running(stage: Stage, appId: string): Promise<number> {
  const { body } = await ask(stage.url, { method: 'GET', path: `/v2/apps/${appId}` });
  const app = body instanceof Object ? Reflect.get(body, 'app') : undefined;
  return app instanceof Object ? Reflect.get(app, 'tasksRunning') : 0;
}

/** Two fifths of the flags that the record names, as a second takes two fifths. */
const TIMED = {
  expungeInitialDelayMs: 2_000,
  expungeIntervalMs: 800,
  reconciliationInitialDelayMs: 2_000,
  reconciliationIntervalMs: 1_600,
};
/**
 * Two instances of an app became inactive some ms apart, the second while the replacement of the first was being stored:
 * only one was replaced.
 */
const STORE_MS = 500;
/** The agent that dies is the first to be offered. */
const AGENT_3_FIRST = AGENTS.toReversed();

// Of the first app the agent that dies had one instance, of the others two: it is not offered until the others are full.
playGolden('agent-lost-timed', {
  stage: { agents: AGENT_3_FIRST, mesos: { agentTimeoutMs: 500 }, marathon: { secondMs: 400, lost: TIMED } },
  before: async (index, stage) => {
    if (index === 0) await withhold(stage, 'agent3');
    if (index !== 1) return;
    await until('four of five are placed', 30_000, async () => (await running(stage, 'at/short')) === 4);
    await offer(stage, 'agent3');
    await until('all five are placed', 30_000, async () => (await running(stage, 'at/short')) === 5);
  },
  onNote: async (note, stage) => {
    stage.delayStore(STORE_MS);
    await killAndStart(note, stage);
  },
});
