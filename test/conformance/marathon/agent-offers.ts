import { expect } from '@jest/globals';
import { ask } from './asking.ts';
import type { Stage } from './stage.ts';

/** Nothing of the agent is offered any more, though what runs there runs on. */
export function withhold(stage: Stage, agentName: string): Promise<void> {
  return order(stage, 'DEACTIVATE_AGENT', agentName);
}

/** Offers the agent again. */
export function offer(stage: Stage, agentName: string): Promise<void> {
  return order(stage, 'REACTIVATE_AGENT', agentName);
}

async function order(stage: Stage, type: 'DEACTIVATE_AGENT' | 'REACTIVATE_AGENT', agentName: string): Promise<void> {
  const value = stage.mesos.agents.find(({ name }) => name === agentName)?.id;
  const { status } = await ask(stage.mesos.masterUrl, {
    method: 'POST',
    path: '/api/v1',
    headers: { 'Content-Type': 'application/json' },
    body: { type, [type.toLowerCase()]: { agent_id: { value } } },
  });
  expect(status).toBe(200);
}
