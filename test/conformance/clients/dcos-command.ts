import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientCommand } from './client.ts';
import type { PlainCell } from './plain-cell.ts';
import { type Ran, runClient } from './run-client.ts';

/** The `dcos` command, attached to a cell as if to a cluster of DC/OS. */
export interface DcosCommand {
  /** @param input an app or a group, which the command reads from its standard input */
  run(words: readonly string[], input?: object): Promise<Ran>;
  /** Forgets the cluster. */
  remove(): void;
}

export function dcosOn(cell: PlainCell, command: ClientCommand): DcosCommand {
  const directory = mkdtempSync(join(tmpdir(), 'dcos-'));
  const cluster = join(directory, 'clusters/cell');
  mkdirSync(cluster, { recursive: true });
  writeFileSync(join(cluster, 'attached'), '');
  const config = [
    ...['[core]', `dcos_url = "${cell.marathonUrl}"`, `mesos_master_url = "${cell.mesosUrl}"`],
    ...['[cluster]', 'name = "cell"', '[marathon]', `url = "${cell.marathonUrl}"`],
  ];
  writeFileSync(join(cluster, 'dcos.toml'), `${config.join('\n')}\n`, { mode: 0o600 });
  return {
    run: (words, input) =>
      runClient(command, ['-m', 'dcoscli.main', ...words], {
        env: { DCOS_DIR: directory },
        ...(input === undefined ? {} : { input: JSON.stringify(input) }),
      }),
    remove: () => rmSync(directory, { recursive: true }),
  };
}
