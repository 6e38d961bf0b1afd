/** A workflow waits by `workflows/wait.ts` alone: there each wait has its reason, its deadline and somebody who ends it. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');
const HOME = 'workflows/wait.ts';
/** What the SDK waits with, and what it makes of Node's timers. */
const WAITING = /\b(condition|sleep|setTimeout)\b/;

/** The names that a source takes from the SDK, and its calls of timers. */
function waitsIn(source: string): string[] {
  const imports = [...source.matchAll(/import\s+{([^}]*)}\s+from '@temporalio\/workflow'/g)].map(([, names]) => names);
  const calls = source.match(/\bsetTimeout\(/g) ?? [];
  return [...imports, ...calls].flatMap((text) => WAITING.exec(text ?? '')?.[0] ?? []);
}

it.each(globSync('workflows/*.ts', { cwd: ROOT }).filter((file) => file !== HOME))(
  '%s waits by no other way',
  (file) => {
    expect(waitsIn(readFileSync(join(ROOT, file), 'utf8'))).toEqual([]);
  },
);

it('sees the one place that does', () => {
  expect(waitsIn(readFileSync(join(ROOT, HOME), 'utf8'))).toEqual(['condition']);
});
