import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { findImportViolations } from './imports.ts';

const repository = dirname(import.meta.dirname);
const trees: string[] = [];

/** Writes a small repository of these files and answers with its broken rules, as `rule: from -> to`. */
async function brokenRules(files: Readonly<Record<string, string>>): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), 'slipway-tree-'));
  trees.push(root);
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  cpSync(join(repository, 'package.json'), join(root, 'package.json'));
  for (const [file, source] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), source);
  }
  const violations = await findImportViolations(root);
  return violations.map(({ rule, path }) => `${rule}: ${path.join(' -> ')}`);
}

afterEach(() => {
  for (const root of trees.splice(0)) rmSync(root, { recursive: true, force: true });
});

const house = {
  'domain/plan.ts': `import { sha256 } from '@noble/hashes/sha2.js';\nexport type Plan = string;\nexport const plan = (): Plan => String(sha256);\n`,
  'domain/schemas/plan.ts': `import { z } from 'zod';\nimport type { Plan } from '../plan.ts';\nexport const planSchema = z.string().transform((text): Plan => text);\n`,
  'activities/docker/client.ts': `import { request } from 'node:http';\nimport axios from 'axios';\nexport const docker = { request, axios };\n`,
  'activities/mesos/run.ts': `import { docker } from '../docker/client.ts';\nimport { planSchema } from '../../domain/schemas/plan.ts';\nexport const run = { docker, planSchema };\n`,
  'workflows/contract.ts': `import { defineQuery } from '@temporalio/workflow';\nimport type { Plan } from '../domain/plan.ts';\nexport const planQuery = defineQuery<Plan>('plan');\n`,
  'workflows/release.ts': `import { proxyActivities } from '@temporalio/workflow';\nimport type { run } from '../activities/mesos/run.ts';\nimport { plan } from '../domain/plan.ts';\nexport const release = { plan, activities: proxyActivities<{ run: typeof run }>({}) };\n`,
  'workflows/release.test.ts': `import { test } from '@jest/globals';\nimport { readFileSync } from 'node:fs';\nimport { release } from './release.ts';\ntest('x', () => readFileSync(String(release)));\n`,
  'api/server.ts': `import Fastify from 'fastify';\nimport { planQuery } from '../workflows/contract.ts';\nexport const server = { Fastify, planQuery };\n`,
  'cell/main.ts': `import type { run } from '../activities/mesos/run.ts';\nexport type Cell = typeof run;\n`,
  'activities/mesos/run-task.ts': `export const runTask = 1;\n`,
  'activities/testing/run-test.ts': `import { runTask } from '../mesos/run-task.ts';\nexport const runTest = runTask;\n`,
  'activities/lane/signal.ts': `import { planQuery } from '../../workflows/contract.ts';\nexport const signal = planQuery;\n`,
  'workers/orchestrator.ts': `import { run } from '../activities/mesos/run.ts';\nexport const activities = { run };\n`,
};

describe('findImportViolations', () => {
  it('finds nothing in a tree that follows the rules', async () => {
    expect(await brokenRules(house)).toEqual([]);
  });

  it('throws on a tree without sources rather than pass it', async () => {
    await expect(brokenRules({})).rejects.toThrow('nothing to judge');
  });

  const cases: readonly { what: string; files: Record<string, string>; broken: string[] }[] = [
    {
      what: 'a package in domain',
      files: { 'domain/clock.ts': `import axios from 'axios';\nexport { axios };\n` },
      broken: ['domain-is-pure: domain/clock.ts -> node_modules/axios/index.js'],
    },
    {
      what: 'a Node module in domain, by a re-export',
      files: { 'domain/file.ts': `export { readFileSync } from 'node:fs';\n` },
      broken: ['domain-is-pure: domain/file.ts -> fs'],
    },
    {
      what: 'a schema in domain, by its type',
      files: {
        'domain/other.ts': `import type { planSchema } from './schemas/plan.ts';\nexport type Other = typeof planSchema;\n`,
      },
      broken: ['domain-is-pure: domain/other.ts -> domain/schemas/plan.ts'],
    },
    {
      what: 'a client in a schema',
      files: {
        'domain/schemas/image.ts': `import { docker } from '../../activities/docker/client.ts';\nexport { docker };\n`,
      },
      broken: ['schemas-parse-domain: domain/schemas/image.ts -> activities/docker/client.ts'],
    },
    {
      what: 'the code of an activity in a workflow',
      files: { 'workflows/build.ts': `import { run } from '../activities/mesos/run.ts';\nexport const build = run;\n` },
      broken: [
        'workflows-load-no-activity: workflows/build.ts -> activities/mesos/run.ts',
        'workflows-load-no-activity: workflows/build.ts -> activities/mesos/run.ts -> activities/docker/client.ts',
        'workflows-load-no-schema: workflows/build.ts -> activities/mesos/run.ts -> domain/schemas/plan.ts',
        'workflows-load-no-schema: workflows/build.ts -> activities/mesos/run.ts -> domain/schemas/plan.ts -> node_modules/zod/index.js',
        'workflows-load-no-node-module: workflows/build.ts -> activities/mesos/run.ts -> activities/docker/client.ts -> http',
      ],
    },
    {
      what: 'a schema in a workflow',
      files: {
        'workflows/build.ts': `import { planSchema } from '../domain/schemas/plan.ts';\nexport const build = planSchema;\n`,
      },
      broken: [
        'workflows-know-domain: workflows/build.ts -> domain/schemas/plan.ts',
        'workflows-load-no-schema: workflows/build.ts -> domain/schemas/plan.ts',
        'workflows-load-no-schema: workflows/build.ts -> domain/schemas/plan.ts -> node_modules/zod/index.js',
      ],
    },
    {
      what: 'a Node module in a workflow, by a dynamic import',
      files: { 'workflows/build.ts': `export const build = async () => await import('node:crypto');\n` },
      broken: [
        'workflows-know-domain: workflows/build.ts -> crypto',
        'workflows-load-no-node-module: workflows/build.ts -> crypto',
      ],
    },
    {
      what: 'an activity type in the contract',
      files: {
        'workflows/contract.ts': `import type { run } from '../activities/mesos/run.ts';\nexport type Run = typeof run;\nexport const planQuery = 1;\n`,
      },
      broken: ['contract-knows-domain: workflows/contract.ts -> activities/mesos/run.ts'],
    },
    {
      what: 'a workflow in an activity',
      files: {
        'activities/git/clone.ts': `import { planQuery } from '../../workflows/contract.ts';\nexport { planQuery };\n`,
      },
      broken: ['activities-know-domain: activities/git/clone.ts -> workflows/contract.ts'],
    },
    {
      what: 'the body of a workflow in an activity on Temporal',
      files: {
        'activities/mesos/run-task.ts': `export const runTask = 1;\n`,
        'activities/testing/run-test.ts': `import { runTask } from '../mesos/run-task.ts';\nexport const runTest = runTask;\n`,
        'activities/lane/signal.ts': `import { release } from '../../workflows/release.ts';\nexport { release };\n`,
      },
      broken: ['activities-on-temporal-know-the-contract: activities/lane/signal.ts -> workflows/release.ts'],
    },
    {
      what: 'an activity of another system in an activity',
      files: { 'activities/git/clone.ts': `import { run } from '../mesos/run.ts';\nexport { run };\n` },
      broken: ['activities-meet-at-clients: activities/git/clone.ts -> activities/mesos/run.ts'],
    },
    {
      what: 'the body of a workflow in the API',
      files: { 'api/release.ts': `import { release } from '../workflows/release.ts';\nexport { release };\n` },
      broken: ['api-knows-contract: api/release.ts -> workflows/release.ts'],
    },
    {
      what: 'an activity in the command line',
      files: { 'cli/release.ts': `import { run } from '../activities/mesos/run.ts';\nexport { run };\n` },
      broken: ['cli-talks-to-api: cli/release.ts -> activities/mesos/run.ts'],
    },
    {
      what: 'a Node module in the console',
      files: { 'console/page.ts': `import { readFileSync } from 'fs';\nexport { readFileSync };\n` },
      broken: ['console-talks-to-api: console/page.ts -> fs'],
    },
    {
      what: 'a workflow in the cell',
      files: { 'cell/agent.ts': `import { planQuery } from '../workflows/contract.ts';\nexport { planQuery };\n` },
      broken: ['cell-stands-alone: cell/agent.ts -> workflows/contract.ts'],
    },
    {
      what: 'a worker in an activity',
      files: {
        'activities/git/clone.ts': `import { activities } from '../../workers/orchestrator.ts';\nexport { activities };\n`,
      },
      broken: [
        'activities-know-domain: activities/git/clone.ts -> workers/orchestrator.ts',
        'nobody-imports-what-composes: activities/git/clone.ts -> workers/orchestrator.ts',
      ],
    },
    {
      what: 'a cycle, by types too',
      files: {
        'domain/a.ts': `import type { B } from './b.ts';\nexport type A = B | 1;\n`,
        'domain/b.ts': `import type { A } from './a.ts';\nexport type B = A | 2;\n`,
      },
      broken: ['no-cycle: domain/a.ts -> domain/b.ts -> domain/a.ts'],
    },
    {
      what: 'a file named utils',
      files: {
        'domain/text-utils.ts': `export const a = 1;\n`,
        'domain/b.ts': `import { a } from './text-utils.ts';\nexport { a };\n`,
      },
      broken: ['no-import-of-catch-all-name: domain/b.ts -> domain/text-utils.ts'],
    },
    {
      what: 'a folder named common',
      files: { 'api/common/a.ts': `import { z } from 'zod';\nexport { z };\n` },
      broken: ['no-catch-all-name: api/common/a.ts -> node_modules/zod/index.js'],
    },
    {
      what: 'a missing file',
      files: { 'domain/a.ts': `import type { B } from './nowhere.ts';\nexport type A = B;\n` },
      broken: ['domain-is-pure: domain/a.ts -> ./nowhere.ts', 'no-missing-file: domain/a.ts -> ./nowhere.ts'],
    },
    {
      what: 'a package that package.json does not name',
      files: { 'api/a.ts': `import semver from 'semver';\nexport { semver };\n` },
      broken: ['no-unlisted-package: api/a.ts -> node_modules/semver/index.js'],
    },
    {
      what: 'a development package in production',
      files: { 'workers/a.ts': `import fc from 'fast-check';\nexport { fc };\n` },
      broken: ['production-loads-no-dev-package: workers/a.ts -> node_modules/fast-check/lib/fast-check.js'],
    },
  ];

  it.each(cases)('refuses $what', async ({ files, broken }) => {
    expect((await brokenRules({ ...house, ...files })).toSorted()).toEqual(broken.toSorted());
  });
});
