import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Client, type ClientCommand, ClientUnavailable, ensureClient } from './client.ts';
import { pythonClient } from './python-packages.ts';

const INSTALL = process.env['SLIPWAY_INSTALL'];

beforeEach(() => {
  delete process.env['SLIPWAY_INSTALL'];
});
afterEach(() => {
  if (INSTALL === undefined) delete process.env['SLIPWAY_INSTALL'];
  else process.env['SLIPWAY_INSTALL'] = INSTALL;
});

/** A client that is there once it was installed. */
function probe(here: boolean, obstacle?: string): Client & { installed: number } {
  const command: ClientCommand = { file: '/probe', env: {} };
  const client = {
    name: 'probe',
    installed: 0,
    locate: async () => (here || client.installed > 0 ? command : undefined),
    obstacle: async () => obstacle,
    install: async () => {
      client.installed += 1;
    },
  };
  return client;
}

describe('a client', () => {
  it('is installed once, and that is said', async () => {
    const client = probe(false);
    const said: string[] = [];
    const say = (line: string) => {
      said.push(line);
    };
    expect(await ensureClient(client, say)).toEqual({ file: '/probe', env: {} });
    expect(await ensureClient(client, say)).toEqual({ file: '/probe', env: {} });
    expect(client.installed).toBe(1);
    expect(said).toEqual([
      'installing the client probe',
      expect.stringMatching(/^installed the client probe in [\d.]+ s$/),
    ]);
  });

  it.each([
    [{ SLIPWAY_INSTALL: 'never' }, undefined, 'probe is not here: SLIPWAY_INSTALL=never'],
    [{}, 'it needs a moon', 'probe is not here: it needs a moon'],
  ])('that can not be had is not installed (%j)', async (env, obstacle, message) => {
    Object.assign(process.env, env);
    const client = probe(false, obstacle);
    await expect(ensureClient(client, () => {})).rejects.toThrow(new ClientUnavailable(message));
    expect(client.installed).toBe(0);
  });

  it('that is here needs no installation', async () => {
    process.env['SLIPWAY_INSTALL'] = 'never';
    expect(await ensureClient(probe(true), () => {})).toEqual({ file: '/probe', env: {} });
  });

  it('of a Python that is nowhere says which', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'python-client-'));
    try {
      writeFileSync(join(folder, 'requirements.txt'), '');
      expect(await pythonClient(folder, ['3.0', '3.1']).obstacle()).toBe(
        process.platform === 'linux' && process.arch === 'x64'
          ? 'it needs python3.0 or python3.1 with pip, on PATH or under pyenv'
          : 'its packages are pinned for Linux on amd64',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
