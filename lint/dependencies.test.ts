/** Holds package.json to docs/dependencies.md. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

const root = dirname(import.meta.dirname);
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');

const versions = z.record(z.string(), z.string());
const { dependencies, devDependencies } = z
  .object({ dependencies: versions, devDependencies: versions })
  .parse(JSON.parse(read('package.json')));
const { packages: locked } = z
  .object({
    packages: z.record(
      z.string(),
      z.object({ license: z.string().optional(), dev: z.boolean().optional(), optional: z.boolean().optional() }),
    ),
  })
  .parse(JSON.parse(read('package-lock.json')));

/** The rows of the document: package, licence, reason. */
const rows = [...read('docs', 'dependencies.md').matchAll(/^\| `([^`]+)` *\| ([^|]+) \| ([^|]+) \|$/gm)].map((row) => ({
  name: row[1] ?? '',
  licence: (row[2] ?? '').trim(),
  reason: (row[3] ?? '').trim(),
}));

const PERMISSIVE = new Set([
  '0BSD',
  'Apache-2.0',
  'Apache-2.0 AND MIT',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC-BY-4.0', // data of caniuse-lite
  'ISC',
  'MIT',
  'Unlicense',
]);

/** Packages whose lock entry names no licence; read from the LICENSE file of each. */
const READ_BY_HAND = new Map([
  ['buildcheck', 'MIT'],
  ['cpu-features', 'MIT'],
  ['ssh2', 'MIT'],
  ['unionfs', 'Unlicense'],
]);

describe('docs/dependencies.md', () => {
  it('has one line for each package of package.json, in its order, and no other', () => {
    expect(rows.map((row) => row.name)).toEqual([...Object.keys(dependencies), ...Object.keys(devDependencies)]);
  });

  it.each(rows)('tells the licence of $name and why it is there', ({ name, licence, reason }) => {
    expect(licence).toBe(JSON.parse(read('node_modules', name, 'package.json')).license);
    expect(reason.length).toBeGreaterThan(10);
  });
});

describe('package.json', () => {
  it('names exact versions', () => {
    for (const version of [...Object.values(dependencies), ...Object.values(devDependencies)]) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  it('brings nothing into production whose licence asks more than Apache-2.0', () => {
    const doubtful = Object.entries(locked)
      .filter(([path, { dev }]) => path !== '' && !dev)
      // Binaries for other platforms of a package that is listed itself; the lockfile knows no more of them.
      .filter(([, { optional, license }]) => !(optional && license === undefined))
      .map(([path, { license }]) => ({ name: path.replace(/^.*node_modules\//, ''), license }))
      .filter(({ name, license }) => !PERMISSIVE.has(license ?? READ_BY_HAND.get(name) ?? 'unknown'));
    expect(doubtful).toEqual([]);
  });
});
