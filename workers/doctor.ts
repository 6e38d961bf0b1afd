import { renderTable } from '../cli/render-table.ts';
import { ConfigurationError, loadConfiguration } from './configuration.ts';
import { type Finding, runChecks } from './doctor/check.ts';
import { allChecks, notChecked } from './doctor/checks.ts';

/** Where the report goes. */
export interface DoctorOutput {
  readonly stdout: { write(text: string): unknown; readonly columns?: number };
  readonly stderr: { write(text: string): unknown };
  readonly env: NodeJS.ProcessEnv;
}

/**
 * `slipway doctor`: asks every configured system whether it is there, all at once, and prints what answered, what is
 * wrong and what to do. Changes nothing.
 *
 * @returns the exit code: 0 when all is well, 1 when anything is wrong
 */
export async function runDoctor({ stdout, stderr, env }: DoctorOutput, path?: string): Promise<number> {
  let configuration: ReturnType<typeof loadConfiguration>;
  try {
    configuration = loadConfiguration(path, env);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    stderr.write(`${error.message}\n`);
    return 1;
  }
  const findings = [...(await runChecks(allChecks(configuration))), ...notChecked(configuration)];
  for (const line of doctorReport(findings, stdout.columns || 160)) stdout.write(`${line}\n`);
  return findings.some(({ state }) => state === 'wrong') ? 1 : 0;
}

/** The report, a line each: a table of all, then whole sentences on what is wrong. Pure. */
export function doctorReport(findings: readonly Finding[], width: number): string[] {
  const signs = { ok: '✓ ok', wrong: '✗ wrong', 'not checked': '– not checked' };
  const rows = findings.map(({ system, address, state, said }) => [signs[state], system, address, said]);
  const wrong = findings.filter((finding) => finding.state === 'wrong');
  const asked = findings.filter(({ state }) => state !== 'not checked');
  return [
    ...renderTable(['STATE', 'SYSTEM', 'ADDRESS', 'ANSWER'], rows, width),
    ...wrong.flatMap(({ system, address, said, advice }) => ['', `${system} at ${address}: ${said}`, `  ${advice}`]),
    '',
    `${asked.length - wrong.length} of ${asked.length} answer as they should`,
  ];
}
