import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answerOf } from '../../local/platform/answers.ts';
import { type Platform, startPlatform } from '../../local/platform/platform.ts';
import { loadConfiguration } from '../../workers/configuration.ts';

const START_WITHIN_MS = 300_000;

describe('the whole platform', () => {
  let dir: string;
  let platform: Platform;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slipway-whole-'));
    platform = await startPlatform({
      dir,
      log: () => {},
      services: { sample: { repository: join(dir, 'sample.git'), branch: 'main' } },
    });
  }, START_WITHIN_MS);

  afterAll(async () => {
    await platform.stop();
    expect(readdirSync(platform.supervisor.directories.run).filter((file) => file.endsWith('.json'))).toEqual([]);
    rmSync(dir, { recursive: true });
  }, START_WITHIN_MS);

  it('writes a configuration that its processes read, with secrets that only their owner reads', () => {
    const configuration = loadConfiguration(platform.configurationFile);
    expect(Object.keys(configuration.environments)).toEqual(['fat', 'uat', 'prod']);
    expect(configuration.services).toEqual({ sample: { repository: join(dir, 'sample.git'), branch: 'main' } });
    expect(configuration.api.tokens).toEqual(
      Object.entries(platform.secrets.tokens).map(([name, token]) => ({ name, token })),
    );
    const secrets = join(platform.supervisor.directories.root, 'secrets');
    expect(statSync(secrets).mode & 0o777).toBe(0o700);
    expect(readdirSync(secrets).map((name) => statSync(join(secrets, name)).mode & 0o777)).not.toContain(0o644);
  });

  it('has an agent for each environment, and two that build', async () => {
    const { slaves } = JSON.parse(await answerOf(`${platform.urls.mesos}/slaves`)) as {
      slaves: { attributes: Record<string, string> }[];
    };
    const attributes = slaves.map((slave) => JSON.stringify(slave.attributes)).sort();
    expect(attributes).toEqual([
      '{"env":"fat"}',
      '{"env":"prod"}',
      '{"env":"prod"}',
      '{"env":"uat"}',
      '{"role":"ci"}',
      '{"role":"ci"}',
    ]);
  });

  it('answers releases to who has a token', async () => {
    const url = `${platform.urls.api}/v1/releases`;
    await expect(answerOf(url)).rejects.toThrow('answers 401');
    await answerOf(url, { headers: { authorization: `Bearer ${platform.secrets.tokens['ann']}` } });
  });

  it(
    'survives a kill of each process of Slipway and of the cell',
    async () => {
      const { slipway, cell } = platform;
      for (const process of [slipway.orchestrator, slipway.node, slipway.discovery, slipway.api, cell.marathon]) {
        await process.kill9();
        await process.start();
      }
      await cell.mesos.kill9();
      await cell.mesos.start();
    },
    START_WITHIN_MS,
  );
});
