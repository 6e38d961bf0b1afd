import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { manifestJsonSchema } from '../domain/schemas/manifest.ts';
import { runCli } from './main.ts';

const dir = mkdtempSync(join(tmpdir(), 'slipway-manifest-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Runs the command where there is no API and no token. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' };
  const output = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      said[name] += text;
      return true;
    },
  });
  const io = { stdout: output('stdout'), stderr: output('stderr'), env: { LANG: 'en_US.UTF-8' }, ask: undefined };
  const code = await runCli(args, { ...io, interrupted: new AbortController().signal });
  return { code, ...said };
}

const file = (name: string, text: string): string => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};

describe('slipway manifest', () => {
  it('checks a manifest', async () => {
    const path = file('good.yaml', 'slipway: v1\nservice: web\nversion: 1.2.3\nenvironments: { prod: {} }\n');
    expect(await run('manifest', 'check', path)).toEqual({
      code: 0,
      stdout: `${path} describes web 1.2.3 without a mistake\n`,
      stderr: '',
    });
    const { stdout } = await run('-o', 'json', 'manifest', 'check', path);
    expect(JSON.parse(stdout)).toMatchObject({ v: 1, manifest: { service: 'web', release: { strategy: 'canary' } } });
  });

  it('tells every mistake at once, each with its path', async () => {
    const path = file('bad.yaml', 'slipway: v1\nservice: Web\nversion: 1.2.3\nrelease: { stratgy: canary }\n');
    const { code, stdout, stderr } = await run('manifest', 'check', path);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`${path}: service: must be a DNS label`);
    expect(stderr).toContain(`${path}: environments: is missing`);
    expect(stderr).toContain(`${path}: release.stratgy: unknown key; did you mean strategy?`);
  });

  it('says which file it could not read', async () => {
    const { code, stderr } = await run('manifest', 'check', join(dir, 'none.yaml'));
    expect([code, stderr]).toEqual([2, expect.stringContaining('none.yaml')]);
  });

  it('prints the JSON Schema', async () => {
    const { code, stdout } = await run('manifest', 'schema');
    expect([code, JSON.parse(stdout)]).toEqual([0, manifestJsonSchema()]);
  });
});
