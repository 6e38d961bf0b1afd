/** One cell at a time on a directory, however it is left and however many want it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { holderOf, lockDirectory, unlockDirectory } from '../../cell/mesos/lock.ts';
import { startMesos } from '../../cell/mesos/start.ts';
import { freePort } from '../../local/platform/ports.ts';

jest.setTimeout(180_000);

let directory: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-lock-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) await ended(child);
  rmSync(directory, { recursive: true });
});

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.stdin?.end();
  await exit;
}

/** A process that will try to take the directory when the others do. */
async function rival(): Promise<{ readonly pid: number | undefined; readonly said: Promise<string> }> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [join(import.meta.dirname, 'cell-lock-launcher.ts'), directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return { pid: child.pid, said: lines.next().then(({ value }) => String(value)) };
}

const HELD = JSON.stringify({ pid: process.pid, startTicks: 1 });

it.each([
  ['free', undefined],
  ['left by a dead process', HELD],
  ['left by one that died while it took it', '{"pid":'],
])('a directory that is %s goes to one of those that want it at once', async (_, lock) => {
  if (lock !== undefined) writeFileSync(join(directory, 'lock.json'), lock);
  const rivals = await Promise.all([rival(), rival(), rival(), rival()]);
  writeFileSync(join(directory, 'go'), '');
  const said = await Promise.all(rivals.map((each) => each.said));
  const holder = rivals[said.indexOf('taken')];
  expect(said.filter((line) => line === 'taken')).toHaveLength(1);
  expect(holderOf(directory)?.pid).toBe(holder?.pid);
  for (const line of said) expect(line).toMatch(/^taken$|is in use by the cell with pid \d+/);
  expect(readdirSync(directory).sort()).toEqual(['go', 'lock.json']);
});

it('a directory can be taken although its heir died while it took it over', () => {
  writeFileSync(join(directory, 'lock.json'), HELD);
  writeFileSync(
    join(directory, `lock.json.after-${process.pid}-1`),
    JSON.stringify({ pid: process.pid, startTicks: 2 }),
  );
  lockDirectory(directory);
  expect(holderOf(directory)?.pid).toBe(process.pid);
  expect(readdirSync(directory)).toEqual(['lock.json']);
  unlockDirectory(directory);
  expect(readdirSync(directory)).toEqual([]);
});

it.each(['records.journal', 'agents/one/records.journal'])(
  'a cell whose records are damaged lets go of its directory and of its port: %s',
  async (journal) => {
    const options = {
      stateDir: directory,
      port: await freePort(),
      agents: [{ name: 'one', cpus: 1, mem: 64, portRange: [31000, 31009] as [number, number] }],
    };
    await (await startMesos(options)).stop();
    const file = join(directory, journal);
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, `{"key":\n${whole}`);
    await expect(startMesos(options)).rejects.toThrow('line 1 is damaged');
    expect(existsSync(join(directory, 'lock.json'))).toBe(false);
    writeFileSync(file, whole);
    await (await startMesos(options)).stop();
  },
);
