/** What operators order of machines: schedule maintenance, take down, bring up. */
import { type AgentEntry, machineIdOf } from './agent-entry.ts';
import { removeAgent } from './agent-removal.ts';
import type { InverseOfferStatus } from './inverse-offers.ts';
import { type MachineId, sameMachine } from './machine.ts';
import {
  downComplaint,
  type Schedule,
  scheduleComplaint,
  upComplaint,
  withDown,
  withSchedule,
  withUp,
} from './maintenance.ts';
import type { Master } from './master.ts';

/**
 * Replaces the whole schedule. Every offer is made anew, also of agents that no window concerns, as Mesos does; the
 * frameworks on machines in the schedule are asked to leave.
 */
export function updateSchedule(master: Master, schedule: Schedule): string | undefined {
  const before = master.maintenance;
  const complaint = scheduleComplaint(schedule, before);
  if (complaint !== undefined) return complaint;
  master.keepMaintenance(withSchedule(before, schedule));
  master.machinesSeen.push(...schedule.windows.flatMap(({ machine_ids }) => machine_ids));
  for (const id of master.agents.keys()) {
    master.rescind(id);
    master.inverseOffers.forgetAgent(id);
  }
  master.rounds.run();
  return undefined;
}

/** The agents of these machines are shut down, and may not register until the machines are up. */
export function startMaintenance(master: Master, machines: readonly MachineId[]): string | undefined {
  const complaint = downComplaint(machines, master.maintenance, master.machinesSeen);
  if (complaint !== undefined) return complaint;
  master.keepMaintenance(withDown(master.maintenance, machines));
  for (const entry of machines.flatMap((machine) => agentsOn(master, machine))) {
    removeAgent(master, entry, "Operator initiated 'Machine DOWN'");
  }
  return undefined;
}

/** The machines leave the schedule, and their agents may come back. */
export function stopMaintenance(master: Master, machines: readonly MachineId[]): string | undefined {
  const complaint = upComplaint(machines, master.maintenance, master.machinesSeen);
  if (complaint !== undefined) return complaint;
  master.keepMaintenance(withUp(master.maintenance, machines));
  for (const machine of machines) master.options.machineUp(machine);
  return undefined;
}

/** As GET_MAINTENANCE_STATUS tells it; empty lists are left out. */
export function maintenanceStatus(master: Master): object {
  const { machines } = master.maintenance;
  const draining = machines
    .filter(({ mode }) => mode === 'DRAINING')
    .map(({ id }) => {
      const statuses = agentsOn(master, id).flatMap(({ link }) => master.inverseOffers.statusesOf(link.id));
      return { id, ...listed<'statuses', InverseOfferStatus>('statuses', statuses) };
    });
  const down = machines.filter(({ mode }) => mode === 'DOWN').map(({ id }) => id);
  return { ...listed('draining_machines', draining), ...listed('down_machines', down) };
}

/** The schedule as it is shown: without windows it is empty. */
export function maintenanceSchedule({ maintenance }: Master): object {
  return listed('windows', maintenance.schedule.windows);
}

function agentsOn(master: Master, machine: MachineId): AgentEntry[] {
  return [...master.agents.values()].filter(({ link }) => sameMachine(machineIdOf(link), machine));
}

function listed<Name extends string, T>(name: Name, list: readonly T[]): { readonly [K in Name]?: readonly T[] } {
  return list.length === 0 ? {} : ({ [name]: list } as { readonly [K in Name]: readonly T[] });
}
