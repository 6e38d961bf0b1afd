/** Tries to take a directory as soon as there is a file `go` in it, says whether it has, and lives until its stdin ends. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { lockDirectory } from '../../cell/mesos/lock.ts';

const directory = process.argv[2] ?? '';
process.stdout.write('ready\n');
// Without a pause: all of them shall try in the same moment.
while (!existsSync(join(directory, 'go')));
try {
  lockDirectory(directory);
  process.stdout.write('taken\n');
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
}
await text(process.stdin);
