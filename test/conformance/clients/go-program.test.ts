import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCommand } from '../../../local/toolbox/run-command.ts';
import { buildGoProgram, GO_BUILD_WITHIN_MS } from './go-program.ts';

let folder: string;
let cache: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-go-'));
  cache = mkdtempSync(join(tmpdir(), 'slipway-go-cache-'));
  writeFileSync(join(folder, 'go.mod'), 'module probe\n\ngo 1.21\n');
  write('one');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  rmSync(cache, { recursive: true });
});

const write = (word: string) =>
  writeFileSync(join(folder, 'main.go'), `package main\n\nfunc main() { println("${word}") }\n`);
const says = async (program: string) => (await runCommand(program, [], { timeoutMs: 10_000 })).stderr;

describe('a Go program', () => {
  it(
    'is built once for one content',
    async () => {
      const first = await buildGoProgram(folder, cache);
      expect(await says(first)).toBe('one\n');
      const { ino } = statSync(first);
      expect(await buildGoProgram(folder, cache)).toBe(first);
      expect(statSync(first).ino).toBe(ino);
      write('two');
      const second = await buildGoProgram(folder, cache);
      expect([await says(first), await says(second)]).toEqual(['one\n', 'two\n']);
    },
    GO_BUILD_WITHIN_MS,
  );

  it(
    'that does not compile fails with the words of the compiler, and is not kept',
    async () => {
      write('"');
      await expect(buildGoProgram(folder, cache)).rejects.toThrow('main.go:3');
      await expect(buildGoProgram(folder, cache)).rejects.toThrow('main.go:3');
    },
    GO_BUILD_WITHIN_MS,
  );

  it('says what to install where there is no Go', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nonexistent';
    try {
      await expect(buildGoProgram(folder, cache)).rejects.toThrow('there is no go on PATH');
    } finally {
      process.env['PATH'] = path;
    }
  });
});
