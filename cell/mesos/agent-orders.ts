/** What an operator may order of an agent, and the words in which the master refuses; pure. */
import type { AgentRecord } from './agent-registry.ts';
import { type MachineId, machineText } from './machine.ts';

/**
 * What an agent is to the master. `recovered`: known from an earlier run and not yet heard of by this one; `gone`: an
 * operator said that it will never come back.
 */
export type Standing = 'registered' | 'recovered' | 'unreachable' | 'gone' | 'unknown';

export interface OrderRefused {
  readonly status: 400 | 404 | 409;
  readonly text: string;
}

/** See Mesos' `Master::Slaves`: each agent is in one of its lists, or in none. */
export function standingOf(record: AgentRecord | undefined, registered: boolean): Standing {
  if (record?.goneSince !== undefined) return 'gone';
  if (registered) return 'registered';
  if (record === undefined) return 'unknown';
  return record.unreachableSince === undefined ? 'recovered' : 'unreachable';
}

/** @param scheduled the machine of a maintenance schedule that the agent is on */
export function refuseDrain(
  id: string,
  standing: Standing,
  scheduled: MachineId | undefined,
): OrderRefused | undefined {
  if (standing === 'registered' && scheduled !== undefined) {
    return {
      status: 400,
      text: `Agent ${id} is part of a maintenance schedule under Machine ${machineText(scheduled)}`,
    };
  }
  return refuseDeactivation(standing);
}

export function refuseDeactivation(standing: Standing): OrderRefused | undefined {
  return standing === 'gone' || standing === 'unknown' ? { status: 400, text: 'Unknown agent' } : undefined;
}

export function refuseReactivation(record: AgentRecord | undefined): OrderRefused | undefined {
  if (record?.deactivated !== true) return { status: 400, text: 'Agent is not deactivated' };
  if (record.drain?.state === 'DRAINING') return { status: 400, text: 'Agent is still in the DRAINING state' };
  return undefined;
}

/** An agent that is gone already may be marked so again. */
export function refuseGone(id: string, standing: Standing): OrderRefused | undefined {
  return standing === 'unknown' ? { status: 404, text: `Agent '${id}' not found` } : undefined;
}

/**
 * What a task gets between SIGTERM and SIGKILL when its agent drains, in ms: no more than the operator grants, and
 * just that when the task says nothing; undefined: what it gets anyway. See Mesos' `Slave::drain`.
 */
export function drainGraceMs(own: number | undefined, max: number | undefined): number | undefined {
  return max === undefined ? undefined : Math.min(own ?? max, max);
}
