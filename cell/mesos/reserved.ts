/** What an agent reserves for roles, as Mesos' `--resources` reads it. */
import type { Resource } from '../../activities/mesos/types.ts';
import { parseRanges } from './attributes.ts';
import { roleComplaint } from './framework.ts';

/**
 * `name(role):value` parts with semicolons between them; a value is a number or ranges such as `[31900-31909]`. Throws
 * on a part that is not so written, and on a role that Mesos would not take.
 */
export function parseReserved(text: string): Resource[] {
  return text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [, name, role, value = ''] = /^([\w.-]+)\(([^)]*)\):(.+)$/.exec(part) ?? [];
      const complaint = role === undefined || role === '*' ? 'it is not name(role):value' : roleComplaint(role);
      const resource = amountIn(value.trim());
      if (name === undefined || role === undefined || complaint !== undefined || resource === undefined) {
        throw new Error(
          `reserved resources ${JSON.stringify(text)}: ${part}: ${complaint ?? 'the value is no amount'}`,
        );
      }
      return { name, ...resource, reservations: [{ type: 'STATIC', role }] };
    });
}

function amountIn(value: string): Pick<Resource, 'type' | 'scalar' | 'ranges'> | undefined {
  const range = parseRanges(value);
  if (range !== undefined) return { type: 'RANGES', ranges: { range } };
  return /^\d+(\.\d+)?$/.test(value) ? { type: 'SCALAR', scalar: { value: Number(value) } } : undefined;
}
