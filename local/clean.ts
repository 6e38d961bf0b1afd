/** `make clean`: ends what a killed launcher left and removes what was made, except the toolbox, which is dear. */
import { readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Supervisor } from './platform/supervisor.ts';
import { runCommandLine, SetupError } from './setup-error.ts';
import { cacheDirectory } from './toolbox/toolbox.ts';

const ROOT = join(import.meta.dirname, '..');
const MADE = join(ROOT, '.slipway');

await runCommandLine(async () => {
  const say = (line: string): void => {
    process.stdout.write(`clean: ${line}\n`);
  };
  const supervisor = await Supervisor.open({ dir: MADE, log: say });
  await supervisor.stop();
  for (const entry of readdirSync(MADE).map((name) => join(MADE, name))) {
    if (entry !== cacheDirectory()) {
      remove(entry);
    }
  }
  say(`removed what was in ${relative(ROOT, MADE)}; the toolbox stays in ${cacheDirectory()}`);
});

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') {
      throw new SetupError(`${path} belongs to another user, who can remove it with make clean`);
    }
    throw error;
  }
}
