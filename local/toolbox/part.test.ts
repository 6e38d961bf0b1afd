import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findExecutables, locate, type Part } from './part.ts';

let directory: string;
const originalPath = process.env['PATH'];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-part-'));
  process.env['PATH'] = `${join(directory, 'bin')}:${originalPath}`;
});

afterEach(() => {
  process.env['PATH'] = originalPath;
  rmSync(directory, { recursive: true });
});

const PART: Part = {
  name: 'gadget',
  commands: ['slipway-gadget'],
  minimum: '1.2',
  below: '2',
  tells: { args: ['version'], pattern: /gadget (\S+)/ },
  source: { kind: 'PyPI', package: 'gadget-bin', version: '1.3.0', sha256: '', executable: 'bin/gadget' },
};

function program(path: string, says: string): string {
  const file = join(directory, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho "gadget ${says}"\n`, { mode: 0o755 });
  return file;
}

describe('locate', () => {
  it('takes what is on PATH in an accepted version', async () => {
    const path = program('bin/slipway-gadget', '1.2.9-rc1');
    expect(await locate(PART, join(directory, 'cache'))).toEqual({
      name: 'gadget',
      path,
      version: '1.2.9-rc1',
      origin: 'PATH',
    });
  });

  it.each(['1.1.9', '2.0', 'nonsense'])(
    'passes over %s on PATH and takes the pinned version of the cache',
    async (says) => {
      program('bin/slipway-gadget', says);
      const path = program('cache/gadget/1.3.0/bin/gadget', 'whatever');
      expect(await locate(PART, join(directory, 'cache'))).toEqual({
        name: 'gadget',
        path,
        version: '1.3.0',
        origin: 'cache',
      });
    },
  );

  it('takes a daemon that runs already before it gives up', async () => {
    const running: Part = { ...PART, running: async () => ({ address: 'unix:///run/gadget.sock', version: '1.5' }) };
    expect(await locate(running, join(directory, 'cache'))).toMatchObject({
      origin: 'running',
      path: 'unix:///run/gadget.sock',
    });
    const old: Part = { ...PART, running: async () => ({ address: 'unix:///run/gadget.sock', version: '1.1' }) };
    expect(await locate(old, join(directory, 'cache'))).toBeUndefined();
  });
});

describe('findExecutables', () => {
  it('leaves out directories and files that nobody may run', async () => {
    mkdirSync(join(directory, 'bin/slipway-gadget'), { recursive: true });
    const plain = program('other/slipway-gadget', '1');
    chmodSync(plain, 0o644);
    const good = program('third/slipway-gadget', '1');
    const path = ['bin', 'other', 'third'].map((name) => join(directory, name)).join(':');
    expect(await findExecutables(['slipway-gadget'], path)).toEqual([good]);
  });
});
