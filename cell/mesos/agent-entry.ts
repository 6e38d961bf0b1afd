/** An agent in the master's books. */
import type { AgentRecord } from './agent-registry.ts';
import type { Framework, MasterTask } from './framework.ts';
import type { AgentLink } from './link.ts';
import type { MachineId } from './machine.ts';
import type { Amounts } from './resources.ts';

/** A registered agent. One that is unreachable, gone or only known from an earlier run has a record and no entry. */
export interface AgentEntry {
  readonly link: AgentLink;
  /** Seconds since the epoch. */
  readonly registeredTime: number;
  readonly reregisteredTime: number | undefined;
  /** False: nothing is heard of it. */
  connected: boolean;
  /** What its live tasks use. */
  used: Amounts;
  /** Runs while it is not connected. */
  timer: NodeJS.Timeout | undefined;
}

/** True when it may be offered. */
export function isActive(entry: AgentEntry, record: AgentRecord | undefined): boolean {
  return entry.connected && record?.deactivated !== true;
}

/** The machine that an agent is on, as maintenance schedules name it. */
export function machineIdOf({ hostname, ip }: AgentLink): MachineId {
  return { hostname, ip };
}

/** Tasks of every framework on one agent that are not yet acknowledged to the end. */
export function tasksOn(frameworks: Iterable<Framework>, agentId: string): MasterTask[] {
  return [...frameworks].flatMap(({ tasks }) => [...tasks.values()].filter((task) => task.agentId === agentId));
}
