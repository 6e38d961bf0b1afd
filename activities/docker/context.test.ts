import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { packContext } from './context.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function directoryWith(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'slipway-context-'));
  directories.push(directory);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(directory, dirname(path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

const pack = async (directory: string, dockerfile = 'Dockerfile') =>
  buffer(await packContext({ directory, dockerfile, time: 1_700_000_000, signal: new AbortController().signal }));
const namesIn = (tar: Buffer) => execFileSync('tar', ['-tf', '-'], { input: tar, encoding: 'utf8' }).trim().split('\n');

describe('packContext', () => {
  const files = { Dockerfile: 'FROM scratch', 'src/b.js': 'b', 'src/a.js': 'a', 'a name\nof two lines': '' };

  it('packs equal files to equal bytes, whatever their times and rights', async () => {
    const [one, other] = [directoryWith(files), directoryWith(Object.fromEntries(Object.entries(files).reverse()))];
    utimesSync(join(other, 'src/a.js'), 1, 1);
    chmodSync(join(other, 'src/a.js'), 0o600);
    chmodSync(join(other, 'src'), 0o777);
    const hashes = await Promise.all(
      [one, other].map(async (directory) =>
        createHash('sha256')
          .update(await pack(directory))
          .digest('hex'),
      ),
    );
    expect(hashes[1]).toBe(hashes[0]);
  });

  it('packs other bytes when a file differs, or may be executed', async () => {
    const directory = directoryWith(files);
    const before = await pack(directory);
    chmodSync(join(directory, 'src/a.js'), 0o755);
    expect(await pack(directory)).not.toEqual(before);
  });

  it('leaves out what .dockerignore says, but neither itself nor the Dockerfile', async () => {
    const directory = directoryWith({
      '.dockerignore': '*\n!src\nsrc/*.test.js',
      'build/Dockerfile': 'FROM scratch',
      'src/main.js': '',
      'src/main.test.js': '',
      'notes.md': '',
    });
    expect(namesIn(await pack(directory, 'build/Dockerfile'))).toEqual([
      '.dockerignore',
      'build/Dockerfile',
      'src/',
      'src/main.js',
    ]);
  });

  it('packs links as links', async () => {
    const directory = directoryWith({ Dockerfile: '' });
    symlinkSync('/etc/hostname', join(directory, 'link'));
    const listed = execFileSync('tar', ['-tvf', '-'], { input: await pack(directory), encoding: 'utf8' });
    expect(listed).toMatch(/link -> \/etc\/hostname/);
  });
});
