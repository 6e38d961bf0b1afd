import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';
import type { DebianArchiveSource } from './source.ts';

/**
 * Fetches the `.deb` with apt's own downloader (so the machine's proxy and mirror settings hold), which refuses one
 * whose SHA-256 is not the pinned one, and unpacks it into `directory`. Nothing is written to apt's configuration or
 * lists, and dpkg does not learn of it.
 * @param mirror root of a Debian archive, as apt names it.
 */
export async function installFromDebianArchive(
  source: DebianArchiveSource,
  directory: string,
  mirror: string,
): Promise<void> {
  const archive = join(directory, 'archive.deb');
  await runCommand(
    '/usr/lib/apt/apt-helper',
    // apt as root would download as user _apt, who cannot write to our directory.
    ['-o', 'APT::Sandbox::User=root', 'download-file', `${mirror}/${source.path}`, archive, `SHA256:${source.sha256}`],
    { timeoutMs: 300_000 },
  );
  await runCommand('dpkg-deb', ['--extract', archive, directory], { timeoutMs: 120_000 });
  await rm(archive);
}
