import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { type Platform, startPlatform } from '../../local/platform/platform.ts';
import { until } from '../../local/platform/until.ts';
import { runCommand } from '../../local/toolbox/run-command.ts';

const WITHIN_MS = 240_000;
/** To the doctor a system is wrong that a busy machine stalls for ten seconds; it is asked again then. */
const FOUND_WITHIN_MS = 120_000;
const PROGRAM = new URL('../../bin/slipway.ts', import.meta.url).pathname;

describe('slipway doctor, on the whole platform', () => {
  let dir: string;
  let platform: Platform;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'slipway-doctor-'));
    const repository = join(dir, 'sample.git');
    const source = join(dir, 'source');
    const git = (...args: string[]) => runCommand('git', args, { timeoutMs: 60_000 });
    await git('init', '--quiet', '--initial-branch=main', source);
    const author = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com'];
    await git('-C', source, ...author, 'commit', '--quiet', '--allow-empty', '--message=Begin');
    await git('clone', '--quiet', '--bare', source, repository);
    platform = await startPlatform({
      dir: join(dir, 'platform'),
      log: () => {},
      services: { sample: { repository, branch: 'main' } },
      chatOutboundUrls: ['http://127.0.0.1:1/hook'],
    });
  }, WITHIN_MS);

  afterAll(async () => {
    await platform?.stop();
    rmSync(dir, { recursive: true });
  }, WITHIN_MS);

  const doctor = (file: string) =>
    new Promise<{ code: number; stdout: string }>((resolve, reject) => {
      execFile(process.execPath, [PROGRAM, 'doctor', '--config', file], (error, stdout) => {
        if (error !== null && typeof error.code !== 'number') reject(error);
        else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout });
      });
    });

  it(
    'finds everything well, with versions, and says what it did not ask',
    async () => {
      const { stdout } = await until(
        'all to be well',
        async () => {
          const report = await doctor(platform.configurationFile);
          expect(report).toEqual({ code: 0, stdout: expect.not.stringContaining('✗') });
          return report;
        },
        { withinMs: FOUND_WITHIN_MS },
      );
      for (const system of [
        'Temporal',
        'Consul',
        'Consul DNS',
        'Registry',
        'InfluxDB',
        'Mesos master',
        'Mesos agents',
      ]) {
        expect(stdout).toMatch(new RegExp(`✓ ok +${system} `));
      }
      expect(stdout).toMatch(/✓ ok +Marathon of fat, uat, prod /);
      expect(stdout).toMatch(/✓ ok +Balancer main .*HAProxy/);
      expect(stdout).toMatch(/✓ ok +Repository of sample .*main is [0-9a-f]{12}/);
      expect(stdout).toMatch(/– not checked +Docker of builders /);
      expect(stdout).toMatch(/– not checked +Ledger .*only the orchestrator/);
      expect(stdout).toMatch(/– not checked +Chat +http:\/\/127\.0\.0\.1:1 /);
    },
    WITHIN_MS,
  );

  it(
    'names what is wrong and what to do: systems that are away, and settings that fit nothing',
    async () => {
      const document: {
        environments: { prod: { agentAttribute: string } };
        services: { sample: { branch: string } };
        temporal: { namespace: string };
      } = parse(readFileSync(platform.configurationFile, 'utf8'));
      document.environments.prod.agentAttribute = 'env:nowhere';
      document.services.sample.branch = 'gone';
      document.temporal.namespace = 'unknown';
      // Beside the real one: secrets are named relative to it.
      const file = join(dir, 'platform', 'wrong.config.yaml');
      writeFileSync(file, stringify(document));
      await platform.systems.consul.process.kill9();

      const { code, stdout } = await until(
        'the systems that are there to answer in time',
        async () => {
          const report = await doctor(file);
          expect(report.stdout).not.toMatch(/no answer within/);
          return report;
        },
        { withinMs: FOUND_WITHIN_MS },
      );
      expect(code).toBe(1);
      expect(stdout).toMatch(/✗ wrong +Consul /);
      expect(stdout).toMatch(/✗ wrong +Consul DNS /);
      expect(stdout).toContain('start the agent, or correct consul.url and consul.token');
      expect(stdout).toContain('6 agents, none with env:nowhere (environment prod)');
      expect(stdout).toContain('there is no branch gone');
      expect(stdout).toMatch(/Temporal at .*unknown/);
      expect(stdout).toMatch(/✓ ok +InfluxDB /);
    },
    WITHIN_MS,
  );
});
