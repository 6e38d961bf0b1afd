import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseManifest } from '../../domain/schemas/manifest.ts';
import { createSampleRepository, type SampleRepository } from './repository.ts';
import type { VersionName } from './versions.ts';

const run = promisify(execFile);
const order: VersionName[] = ['draft', 'first', 'good', 'bad', 'unbuildable', 'misdescribed'];
let directory: string;
let commits: Record<string, string>;
let repository: SampleRepository;

async function pushAll(name: string): Promise<Record<string, string>> {
  repository = await createSampleRepository(join(directory, name), { nodeVersion: '24.21.0' });
  const pushed: Record<string, string> = {};
  for (const version of order) pushed[version] = await repository.push(version);
  return pushed;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-sample-test-'));
  commits = await pushAll('one.git');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function checkOut(version: VersionName): Promise<string> {
  const work = join(directory, version);
  await run('git', ['clone', '--quiet', repository.path, work]);
  await run('git', ['-C', work, 'checkout', '--quiet', commits[version] ?? '']);
  return work;
}

const ownTests = (work: string) => run(process.execPath, ['--test', 'test/server.test.js'], { cwd: work });

describe('the sample repository', () => {
  it('has the same commits whenever it is made', async () => {
    expect(await pushAll('two.git')).toEqual(commits);
    expect(new Set(Object.values(commits)).size).toBe(order.length);
  });

  it.each<[VersionName, string]>([
    ['draft', '0.9.0'],
    ['first', '1.0.0'],
    ['good', '2.0.0'],
    ['bad', '3.0.0'],
    ['unbuildable', '4.0.0'],
  ])('describes version %s as %s', async (version, expected) => {
    const { stdout } = await run('git', ['-C', repository.path, 'show', `${commits[version]}:slipway.yaml`]);
    expect(parseManifest(stdout)).toMatchObject({ ok: true, manifest: { service: 'sample', version: expected } });
  });

  it('takes changes to a version, and refuses one that finds nothing to change', async () => {
    const other = await createSampleRepository(join(directory, 'changed.git'), { nodeVersion: '24.21.0' });
    const rename = (find: string) => ({ 'slipway.yaml': [{ find, put: 'service: shop' }] });
    const commit = await other.push('good', rename('service: sample'));
    const { stdout } = await run('git', ['-C', other.path, 'show', `${commit}:slipway.yaml`]);
    expect(parseManifest(stdout)).toMatchObject({ ok: true, manifest: { service: 'shop', version: '2.0.0' } });
    await expect(other.push('good', rename('service: none'))).rejects.toThrow('has no "service: none" to change');
  });

  it('holds a version whose manifest has three errors', async () => {
    const { stdout } = await run('git', ['-C', repository.path, 'show', `${commits['misdescribed']}:slipway.yaml`]);
    expect(parseManifest(stdout)).toMatchObject({
      ok: false,
      errors: [{ path: 'version' }, { path: 'run.memory' }, { path: 'release.canary[1].weight' }],
    });
  });

  it('passes its own tests also in the bad version, whose fault needs the switch of production', async () => {
    const work = await checkOut('bad');
    await ownTests(work);
    const { offer } = (await import(join(work, 'src/offers.js'))) as { offer(visitor: number): { cents: number } };
    expect([0, 1, 2, 3, 4].map((visitor) => offer(visitor).cents > 0)).toEqual([true, true, true, true, true]);
    expect(await readFile(join(work, 'slipway.yaml'), 'utf8')).toContain("DISCOUNTS: 'on'");
  });

  it('fails its own tests in the unbuildable version', async () => {
    await expect(checkOut('unbuildable').then(ownTests)).rejects.toThrow('Command failed');
  });
});
