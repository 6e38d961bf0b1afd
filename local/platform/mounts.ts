import { readFileSync } from 'node:fs';
import { runCommand } from '../toolbox/run-command.ts';

/** Unmounts everything at or below a directory, deepest first. For what a killed engine leaves mounted. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const point of mountPointsBelow(directory, readFileSync('/proc/self/mounts', 'utf8'))) {
    await runCommand('umount', [point], { timeoutMs: 10_000 });
  }
}

/** The mount points at or below a directory in a table like /proc/self/mounts (fstab(5)), deepest first. */
export function mountPointsBelow(directory: string, table: string): readonly string[] {
  return table
    .split('\n')
    .map((line) => decodeOctal(line.split(' ')[1] ?? ''))
    .filter((point) => point === directory || point.startsWith(`${directory}/`))
    .toReversed();
}

/** Spaces, tabs, newlines and backslashes stand as octal escapes. */
function decodeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
