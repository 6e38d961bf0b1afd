import { runCommand } from '../toolbox/run-command.ts';

/** The absolute paths of the shared libraries a program needs, its loader included, as ldd(1) finds them. */
export async function sharedLibraries(program: string): Promise<readonly string[]> {
  const { stdout } = await runCommand('ldd', [program], { timeoutMs: 10_000 });
  return parseLdd(stdout);
}

/**
 * Reads ldd's answer: `name => path (address)` and, for the loader, `path (address)`; the kernel's own
 * `linux-vdso.so.1` has no path.
 * @throws {Error} that names the libraries ldd did not find.
 */
export function parseLdd(answer: string): readonly string[] {
  const lines = answer.split('\n').map((line) => line.trim());
  const lost = lines.filter((line) => line.endsWith('=> not found'));
  if (lost.length > 0) {
    throw new Error(`shared libraries are missing: ${lost.join(', ')}`);
  }
  return lines.flatMap((line) => /^(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/.exec(line)?.[1] ?? []);
}
