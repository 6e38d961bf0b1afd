/**
 * `make histories`: runs the tests of the workflows, and keeps as few of the histories they made as go through all that
 * any of them went through, so that later code can be held against them. To be done when a workflow has changed on
 * purpose; see CONTRIBUTING.md for the runs that must go on in changed code.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fewest } from './features.ts';
import { HISTORIES, type RecordedHistory } from './histories.ts';

/** What this has kept before; others stand for runs from before a patch, and stay. */
const isOurs = (file: string) => /-\d+\.json\.gz$/.test(file);

const folder = await mkdtemp(join(tmpdir(), 'slipway-histories-'));
try {
  const tests = spawn(process.execPath, [join(import.meta.dirname, '../run.ts'), 'workflows'], {
    stdio: 'inherit',
    // The gate itself does not hold while what it holds is made anew.
    env: { ...process.env, SLIPWAY_HISTORIES: folder },
  });
  await once(tests, 'exit');
  const runs: RecordedHistory[] = [];
  for (const file of await readdir(folder)) {
    runs.push({ name: file, history: JSON.parse(await readFile(join(folder, file), 'utf8')) });
  }
  const chosen = fewest(runs);
  if (chosen.length === 0) throw new Error('the tests left no history');
  for (const file of (await readdir(HISTORIES)).filter(isOurs)) await rm(join(HISTORIES, file));
  for (const { name, history } of chosen) {
    const id = name.split('.')[0] ?? name;
    const same = chosen.filter((other) => other.name.startsWith(`${id}.`)).map((other) => other.name);
    const file = `${id}-${same.indexOf(name) + 1}.json.gz`;
    await writeFile(join(HISTORIES, file), gzipSync(JSON.stringify(history), { level: 9 }));
  }
  process.stdout.write(`kept ${chosen.length} of ${runs.length} histories\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
