/** An agent in the master's books. */
import type { Framework, MasterTask } from './framework.ts';
import type { AgentLink } from './link.ts';
import type { Amounts } from './resources.ts';

/** An agent as the master knows it. */
export interface AgentEntry {
  readonly link: AgentLink;
  readonly registeredTime: number;
  reregisteredTime: number | undefined;
  /** False: nothing is heard of it. */
  connected: boolean;
  /** Not heard of for so long that its tasks count as unreachable. */
  unreachable: boolean;
  /** What its live tasks use. */
  used: Amounts;
  timer: NodeJS.Timeout | undefined;
}

/** Live tasks of every framework on one agent. */
export function tasksOn(frameworks: Iterable<Framework>, agentId: string): MasterTask[] {
  return [...frameworks].flatMap(({ tasks }) => [...tasks.values()].filter((task) => task.agentId === agentId));
}
