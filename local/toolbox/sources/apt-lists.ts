import { SetupError } from '../../setup-error.ts';
import { runCommand } from '../run-command.ts';

/** apt's package lists, brought up to date at most once however many ask. */
export interface AptLists {
  /** Runs `apt-get update` unless it ran before; false where the user may not. */
  refresh(): Promise<boolean>;
}

export const APT_ENVIRONMENT = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

export function aptLists(mayRefresh: boolean, log: (line: string) => void): AptLists {
  let refreshed: Promise<boolean> | undefined;
  const update = async (): Promise<boolean> => {
    if (!mayRefresh) {
      return false;
    }
    const started = Date.now();
    await runCommand('apt-get', ['update', '--quiet'], { timeoutMs: 300_000, env: APT_ENVIRONMENT });
    log(`apt-get update took ${((Date.now() - started) / 1000).toFixed(1)} s`);
    return true;
  };
  return {
    refresh: () => {
      refreshed ??= update();
      return refreshed;
    },
  };
}

/**
 * Where this machine gets Debian itself from, as its own apt configuration says.
 * @throws {SetupError} if apt's lists are empty and this user may not fill them.
 */
export async function mirrorAddress(lists: AptLists): Promise<string> {
  const known = (await readMirrorAddress()) ?? ((await lists.refresh()) ? await readMirrorAddress() : undefined);
  if (known === undefined) {
    throw new SetupError("apt's package lists name no Debian mirror: run apt-get update as root once");
  }
  return known;
}

async function readMirrorAddress(): Promise<string | undefined> {
  const { stdout } = await runCommand(
    'apt-get',
    ['indextargets', '--format', '$(LABEL)|$(COMPONENT)|$(REPO_URI)', 'Created-By: Packages'],
    { timeoutMs: 30_000, env: APT_ENVIRONMENT },
  );
  return parseMirrorAddress(stdout);
}

/** The address, without a slash at its end, in lines of `label|component|address`. */
export function parseMirrorAddress(lines: string): string | undefined {
  const line = lines.split('\n').find((candidate) => candidate.startsWith('Debian|main|'));
  return line?.split('|')[2]?.replace(/\/+$/, '');
}
