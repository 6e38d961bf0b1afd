import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { ConfigurationError, loadConfiguration, maskConfiguration } from './configuration.ts';

const EXAMPLE = new URL('../slipway.config.example.yaml', import.meta.url).pathname;
const CHAT_IN = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const CHAT_OUT = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;
const ENV = {
  SLIPWAY_TOKEN_ANN: 'token-of-ann',
  SLIPWAY_TOKEN_BOB: 'token-of-bob',
  SLIPWAY_LEDGER_URL: 'postgres://slipway:secret@127.0.0.1:5432/slipway',
  SLIPWAY_CHAT_IN: CHAT_IN,
  SLIPWAY_CHAT_OUT: CHAT_OUT,
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-configuration-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const write = (text: string): string => {
  const path = join(directory, 'slipway.config.yaml');
  writeFileSync(path, text);
  return path;
};

const errorOf = (path: string, env: NodeJS.ProcessEnv = ENV): ConfigurationError => {
  try {
    loadConfiguration(path, env);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('the configuration was taken');
};

describe('loading the configuration', () => {
  it('reads the example, secrets from the environment', () => {
    const configuration = loadConfiguration(EXAMPLE, ENV);
    expect(configuration.api.tokens).toEqual([
      { name: 'ann', token: 'token-of-ann' },
      { name: 'bob', token: 'token-of-bob' },
    ]);
    expect(configuration.chat.inbound).toEqual({ secret: CHAT_IN });
    expect(configuration.ledger).toEqual({ url: ENV.SLIPWAY_LEDGER_URL });
    expect(configuration.environments['prod']?.tier).toBe('production');
    expect(configuration.consul).toEqual({ url: 'http://127.0.0.1:8500', dns: '127.0.0.1:8600' });
  });

  it('finds the file that SLIPWAY_CONFIG names', () => {
    expect(loadConfiguration(undefined, { ...ENV, SLIPWAY_CONFIG: EXAMPLE }).temporal.address).toBe('127.0.0.1:7233');
  });

  it('reads secrets from files beside the configuration, without the line end', () => {
    writeFileSync(join(directory, 'consul.token'), 'secret-of-consul\n');
    const path = edit((document) => {
      document.consul.token = { file: 'consul.token' };
      document.gitlab = { token: { env: 'GITLAB' }, previousSigningSecret: { env: 'SLIPWAY_CHAT_OUT' } };
    });
    const configuration = loadConfiguration(path, { ...ENV, GITLAB: 'g' });
    expect(configuration.consul.token).toBe('secret-of-consul');
    expect(configuration.gitlab).toEqual({ token: 'g', previousSigningSecret: CHAT_OUT });
  });

  it('lists missing secrets together with every other error', () => {
    const path = edit((document) => {
      document.consul.token = { file: 'nowhere' };
      document.mesos = {};
    });
    const error = errorOf(path, { ...ENV, SLIPWAY_TOKEN_ANN: '', SLIPWAY_CHAT_OUT: 'plain' });
    expect(error.errors.map((each) => each.path)).toEqual([
      'mesos.master',
      'consul.token',
      'api.tokens.0.token',
      'chat.outbound.0.secret',
    ]);
    expect(error.message.split('\n')).toEqual([
      `${path} has 4 errors:`,
      '  mesos.master is missing: write an http or https URL, such as http://127.0.0.1:5050',
      expect.stringMatching(/^ {2}consul\.token can't be read: .*nowhere/),
      '  api.tokens.0.token has no value: set the environment variable SLIPWAY_TOKEN_ANN',
      expect.stringMatching(/^ {2}chat\.outbound\.0\.secret is not a signing secret/),
    ]);
    expect(error.message).not.toContain('plain');
  });

  it('refuses one token for two names', () => {
    const error = errorOf(EXAMPLE, { ...ENV, SLIPWAY_TOKEN_BOB: ENV.SLIPWAY_TOKEN_ANN });
    expect(error.message).toContain('api.tokens.1.token is the same secret as api.tokens.0.token');
    expect(error.message).not.toContain('token-of-ann');
  });

  it('says what to do when there is no file, and where YAML is broken', () => {
    expect(errorOf(join(directory, 'none.yaml')).message).toContain('copy slipway.config.example.yaml');
    expect(errorOf(write('temporal: [\n')).message).toMatch(/is not YAML: .*line 2/s);
    expect(errorOf(write('temporal: 1\ntemporal: 2\n')).message).toContain('Map keys must be unique');
  });
});

describe('the masked configuration', () => {
  it('shows everything but secrets', () => {
    const path = edit((document) => {
      document.consul.token = { env: 'CONSUL' };
      document.gitlab = { token: { env: 'GITLAB' } };
      document.services = { sample: { repository: 'https://user:password@git.example/sample.git' } };
      document.chat.outbound[0].url = 'https://chat.example/hooks/key-in-path';
    });
    const masked = stringify(
      maskConfiguration(loadConfiguration(path, { ...ENV, CONSUL: 'of-consul', GITLAB: 'of-gitlab' })),
    );
    for (const secret of ['of-consul', 'of-gitlab', 'token-of-', 'whsec_', 'user', 'password', 'key-in-path']) {
      expect(masked).not.toContain(secret);
    }
    expect(masked).toContain('https://********@git.example/sample.git');
    expect(masked).toContain('https://chat.example/********');
    expect(masked).toContain('name: ann');
  });
});

interface Editable {
  consul: { token?: unknown };
  mesos: unknown;
  gitlab?: unknown;
  services: unknown;
  chat: { outbound: [{ url: string }] };
}

/** A copy of the example with some of it changed. */
function edit(change: (document: Editable) => void): string {
  const document: Editable = parse(readFileSync(EXAMPLE, 'utf8'));
  change(document);
  return write(stringify(document));
}
