/** How a master starts, with what an earlier run kept, and how it ends. */
import { recoverAgents } from './agent-life.ts';
import { disconnectAll, recoverFrameworks } from './framework-life.ts';
import type { Master } from './master.ts';

/** Reads what an earlier run kept; call before the agents register. */
export function recoverMaster(master: Master): void {
  recoverFrameworks(master);
  recoverAgents(master);
}

/** Ends every stream and every timer; frameworks may come back to the next run. */
export function stopMaster(master: Master): void {
  master.rounds.stop();
  clearTimeout(master.recoveryTimer);
  for (const { timer } of master.agents.values()) clearTimeout(timer);
  disconnectAll(master);
  for (const stream of master.subscribers) stream.end();
}
