/**
 * The maintenance schedule and the modes of the machines in it, as pure functions of what was and what is asked. See
 * Mesos' `master/maintenance.cpp`: a machine that is scheduled is DRAINING until an operator takes it DOWN; one that
 * is brought up leaves the schedule.
 */
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { type MachineId, machineIdSchema, sameMachine } from './machine.ts';

const nanoseconds = z.object({ nanoseconds: z.number() });
const unavailabilitySchema = z.object({ start: nanoseconds, duration: nanoseconds.optional() });
export type Unavailability = z.infer<typeof unavailabilitySchema>;

const scheduleSchema = z.object({
  windows: z.array(z.object({ machine_ids: z.array(machineIdSchema), unavailability: unavailabilitySchema })),
});
export type Schedule = z.infer<typeof scheduleSchema>;

/** Also what the master keeps on disk. */
export const maintenanceSchema = z.object({
  schedule: scheduleSchema,
  /** Those that are scheduled, in the order in which they were first. */
  machines: z.array(
    z.object({ id: machineIdSchema, mode: z.enum(['DRAINING', 'DOWN']), unavailability: unavailabilitySchema }),
  ),
});
export type Maintenance = z.infer<typeof maintenanceSchema>;

export const NO_MAINTENANCE: Maintenance = { schedule: { windows: [] }, machines: [] };

/** What is scheduled of a machine; undefined: it is up. */
export function machineOf({ machines }: Maintenance, id: MachineId): Maintenance['machines'][number] | undefined {
  return machines.find((machine) => sameMachine(machine.id, id));
}

/** What is wrong with a new schedule, in Mesos' words; undefined when nothing is. */
export function scheduleComplaint(schedule: Schedule, { machines }: Maintenance): string | undefined {
  const seen: MachineId[] = [];
  for (const { machine_ids, unavailability } of schedule.windows) {
    if (machine_ids.length === 0) return 'List of machines in the maintenance window is empty';
    if ((unavailability.duration?.nanoseconds ?? 0) < 0) return "Unavailability 'duration' is negative";
    const complaint = idsComplaint(machine_ids, seen);
    if (complaint !== undefined) return complaint;
    seen.push(...machine_ids);
  }
  const lost = machines.find(({ id, mode }) => mode === 'DOWN' && !seen.some((other) => sameMachine(other, id)));
  return lost && `Machine '${quoted(lost.id)}' is deactivated and cannot be removed from the schedule`;
}

/**
 * What is wrong with taking these machines down.
 * @param seen machines that had an agent or were scheduled
 */
export function downComplaint(
  ids: readonly MachineId[],
  maintenance: Maintenance,
  seen: readonly MachineId[],
): string | undefined {
  return modeComplaint(ids, maintenance, seen, ['DRAINING', 'is not in DRAINING mode and cannot be brought down']);
}

/** What is wrong with bringing these machines up. */
export function upComplaint(
  ids: readonly MachineId[],
  maintenance: Maintenance,
  seen: readonly MachineId[],
): string | undefined {
  return modeComplaint(ids, maintenance, seen, ['DOWN', 'is not in DOWN mode and cannot be brought up']);
}

/** The schedule replaced as a whole; machines that stay in it keep their mode. */
export function withSchedule({ machines }: Maintenance, schedule: Schedule): Maintenance {
  const wanted = schedule.windows.flatMap(({ machine_ids, unavailability }) =>
    machine_ids.map((id) => ({ id, unavailability })),
  );
  const kept = machines.flatMap(({ id, mode }) => {
    const again = wanted.find((each) => sameMachine(each.id, id));
    return again === undefined ? [] : [{ id, mode, unavailability: again.unavailability }];
  });
  const added = wanted
    .filter(({ id }) => !kept.some((each) => sameMachine(each.id, id)))
    .map((each) => ({ ...each, mode: 'DRAINING' as const }));
  return { schedule, machines: [...kept, ...added] };
}

export function withDown({ schedule, machines }: Maintenance, ids: readonly MachineId[]): Maintenance {
  return {
    schedule,
    machines: machines.map((machine) => (isOneOf(machine.id, ids) ? { ...machine, mode: 'DOWN' } : machine)),
  };
}

export function withUp({ schedule, machines }: Maintenance, ids: readonly MachineId[]): Maintenance {
  const windows = schedule.windows
    .map((window) => ({ ...window, machine_ids: window.machine_ids.filter((id) => !isOneOf(id, ids)) }))
    .filter(({ machine_ids }) => machine_ids.length > 0);
  return { schedule: { windows }, machines: machines.filter(({ id }) => !isOneOf(id, ids)) };
}

function modeComplaint(
  ids: readonly MachineId[],
  maintenance: Maintenance,
  seen: readonly MachineId[],
  [mode, otherwise]: readonly ['DRAINING' | 'DOWN', string],
): string | undefined {
  if (ids.length === 0) return 'List of machines is empty';
  const complaint = idsComplaint(ids, []);
  if (complaint !== undefined) return complaint;
  for (const id of ids) {
    const machine = machineOf(maintenance, id);
    if (machine === undefined && !isOneOf(id, seen)) {
      return `Machine '${quoted(id)}' is not part of a maintenance schedule`;
    }
    if (machine?.mode !== mode) return `Machine '${quoted(id)}' ${otherwise}`;
  }
  return undefined;
}

function idsComplaint(ids: readonly MachineId[], others: readonly MachineId[]): string | undefined {
  const seen = [...others];
  for (const id of ids) {
    const { hostname = '', ip = '' } = id;
    if (hostname === '' && ip === '') return "Both 'hostname' and 'ip' for a machine are empty";
    if (ip !== '' && !isIPv4(ip)) return `Failed to parse IPv4: ${ip}`;
    if (isOneOf(id, seen)) return `Machine '${quoted(id)}' appears more than once in the schedule`;
    seen.push(id);
  }
  return undefined;
}

function isOneOf(id: MachineId, ids: readonly MachineId[]): boolean {
  return ids.some((other) => sameMachine(other, id));
}

function quoted({ hostname, ip }: MachineId): string {
  return JSON.stringify({ hostname, ip });
}
