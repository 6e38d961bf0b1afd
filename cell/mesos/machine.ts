/** A machine as maintenance names it: by host name, by address, or by both. */
import { z } from 'zod';

export const machineIdSchema = z.object({ hostname: z.string().optional(), ip: z.string().optional() });
export type MachineId = z.infer<typeof machineIdSchema>;

/** The same members with the same values; host names in any case. See Mesos' `operator==` of MachineID. */
export function sameMachine(a: MachineId, b: MachineId): boolean {
  return a.hostname?.toLowerCase() === b.hostname?.toLowerCase() && a.ip === b.ip;
}

/** As Mesos' messages name one: `host (10.0.0.1)`, `host` or `(10.0.0.1)`. */
export function machineText({ hostname, ip }: MachineId): string {
  const parts = [...(hostname === undefined ? [] : [hostname]), ...(ip === undefined ? [] : [`(${ip})`])];
  return parts.join(' ');
}
