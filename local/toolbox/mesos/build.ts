import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';
import { standInsFor } from './stand-ins.ts';

/** The library of the package: a Python 2.7 extension that carries all of libmesos, master and agent included. */
export const LIBRARY = '_scheduler.so';

const STAND_INS = 'libstandins.so';
const WITHIN = { timeoutMs: 120_000 };

/**
 * Builds `mesosd`, which starts the master or an agent, on the library that is in `directory`. Libraries that Debian 12
 * lacks are replaced by stand-ins: with TLS off nothing calls them.
 */
export async function buildMesos(directory: string): Promise<void> {
  const library = join(directory, LIBRARY);
  const { stdout } = await runCommand('objdump', ['-T', library], WITHIN);
  const { source, versionScript } = standInsFor(stdout);
  const [sourceFile, scriptFile] = [join(directory, 'stand-ins.c'), join(directory, 'stand-ins.map')];
  await writeFile(sourceFile, source);
  await writeFile(scriptFile, versionScript);
  await runCommand(
    'gcc',
    [
      ...['-w', '-O1', '-shared', '-fPIC', `-Wl,-soname,${STAND_INS},--version-script=${scriptFile}`],
      ...['-o', join(directory, STAND_INS), sourceFile],
    ],
    WITHIN,
  );
  for (const name of ['libssl.so.1.0.0', 'libcrypto.so.1.0.0', 'libcurl.so.4']) {
    await symlink(STAND_INS, join(directory, name));
  }
  await runCommand(
    'g++',
    [
      ...['-O1', '-Wall', '-o', join(directory, 'mesosd'), join(import.meta.dirname, 'mesosd.cpp')],
      ...[`-L${directory}`, `-l:${LIBRARY}`],
      // RPATH, not RUNPATH: it must also count for what the library itself needs.
      '-Wl,--disable-new-dtags,-rpath,$ORIGIN,--unresolved-symbols=ignore-in-shared-libs',
    ],
    WITHIN,
  );
}
