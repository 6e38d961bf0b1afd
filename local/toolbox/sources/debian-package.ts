import { readFile, rm, writeFile } from 'node:fs/promises';
import { CommandError, runCommand } from '../run-command.ts';
import { APT_ENVIRONMENT, type AptLists } from './apt-lists.ts';
import type { DebianPackageSource } from './source.ts';

/** What invoke-rc.d and deb-systemd-invoke ask before they start a service; 101 means no (Debian policy 9.3.3). */
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY = '#!/bin/sh\n# Put here by Slipway for the length of an installation.\nexit 101\n';

/** Installs the packages with one apt call. Their services are neither started nor left enabled for the next boot. */
export async function installDebianPackages(sources: readonly DebianPackageSource[], lists: AptLists): Promise<void> {
  const packages = sources.map((source) => source.package);
  const units = [...new Set(sources.flatMap((source) => source.units))];
  const before = await enabledUnits(units);
  const removePolicy = await forbidServiceStarts();
  try {
    await installOrRefreshFirst(packages, lists);
  } finally {
    await removePolicy();
  }
  const added = [...(await enabledUnits(units))].filter((unit) => !before.has(unit));
  if (added.length > 0) {
    await runCommand('systemctl', ['--no-reload', 'disable', ...added], { timeoutMs: 60_000 });
  }
}

/** Which of these packages dpkg does not have installed. */
export async function missingDebianPackages(packages: readonly string[]): Promise<readonly string[]> {
  const installed = await Promise.all(
    packages.map(async (name) => {
      try {
        const { stdout } = await runCommand('dpkg-query', ['--status', name], { timeoutMs: 30_000 });
        return /^Status: .* installed$/m.test(stdout);
      } catch (error) {
        // Its exit code for a package that it has never heard of.
        if (error instanceof CommandError) {
          return false;
        }
        throw error;
      }
    }),
  );
  return packages.filter((_, index) => !installed[index]);
}

/** Installs from the lists as they are; where they are empty or point to versions that are gone, refreshes them first. */
async function installOrRefreshFirst(packages: readonly string[], lists: AptLists): Promise<void> {
  const install = (): Promise<unknown> =>
    runCommand(
      'apt-get',
      ['install', '--yes', '--quiet', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', ...packages],
      { timeoutMs: 900_000, env: APT_ENVIRONMENT },
    );
  try {
    await install();
  } catch (error) {
    if (!(error instanceof CommandError) || !isStaleList(error.output) || !(await lists.refresh())) {
      throw error;
    }
    await install();
  }
}

/** Whether apt failed because its lists are missing or older than the mirror. */
export function isStaleList(output: string): boolean {
  return /Unable to locate package|has no installation candidate|Unable to fetch some archives|404 {2}Not Found/.test(
    output,
  );
}

/** Puts the policy in place unless the machine has its own, and returns what takes ours away again. */
async function forbidServiceStarts(): Promise<() => Promise<void>> {
  const present = await readFile(POLICY_FILE, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  });
  if (present !== undefined && present !== POLICY) {
    return async () => {};
  }
  await writeFile(POLICY_FILE, POLICY, { mode: 0o755 });
  return () => rm(POLICY_FILE, { force: true });
}

/** Which of these systemd units would start at the next boot; none on a machine without systemctl. */
async function enabledUnits(units: readonly string[]): Promise<ReadonlySet<string>> {
  const enabled = new Set<string>();
  for (const unit of units) {
    try {
      await runCommand('systemctl', ['is-enabled', '--quiet', unit], { timeoutMs: 30_000 });
      enabled.add(unit);
    } catch (error) {
      // It says no by its exit code, for a unit that is not there too; where there is no systemctl nothing starts units.
      if (!(error instanceof CommandError)) {
        throw error;
      }
    }
  }
  return enabled;
}
