import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { manifestJsonSchema, parseJudgePolicy, parseManifest } from './manifest.ts';

const SMALLEST = 'slipway: v1\nservice: sample\nversion: 1.0.0\nenvironments: { prod: {} }\n';

function errorsOf(text: string): string[] {
  const reading = parseManifest(text);
  if (reading.ok) throw new Error('the manifest was accepted');
  return reading.errors.map(({ path, message }) => `${path}: ${message}`);
}

describe('parseManifest', () => {
  it('fills in every default', () => {
    expect(parseManifest(SMALLEST)).toEqual({
      ok: true,
      manifest: {
        slipway: 'v1',
        service: 'sample',
        version: '1.0.0',
        build: { pipeline: 'docker', dockerfile: 'Dockerfile', context: '.', timeoutSeconds: 1800 },
        run: { cpus: 0.1, memoryMiB: 128, healthPath: '/healthz', startSeconds: 60, env: {} },
        environments: [{ name: 'prod', instances: 1, env: {} }],
        tests: [],
        release: {
          strategy: 'canary',
          canary: [
            { kind: 'instances', instances: 1 },
            { kind: 'weight', weight: 5 },
            { kind: 'hold', seconds: 600 },
            { kind: 'judge', name: 'errors' },
            { kind: 'weight', weight: 50 },
          ],
          rolling: { batchPercent: 25, surgePercent: 25 },
          metrics: { errors: { maxErrorPercent: 5, minRequests: 50, alpha: 0.05 } },
          approvals: { count: 1, expiresSeconds: 3600 },
          windows: [],
          bakeSeconds: 600,
          retryWithinSeconds: 0,
        },
        retention: { keepReleases: 10 },
      },
    });
  });

  it('reads the example at the root of this repository', () => {
    const reading = parseManifest(readFileSync(new URL('../../slipway.yaml', import.meta.url), 'utf8'));
    expect(reading).toMatchObject({
      ok: true,
      manifest: {
        build: { pipeline: 'node' },
        environments: [{ name: 'fat' }, { name: 'uat' }, { name: 'prod', instances: 4 }],
        tests: [{ name: 'contract', environments: ['fat', 'uat'], timeoutSeconds: 120 }],
        scale: { min: 2, max: 10, requestsPerSecondPerInstance: 20, downAfterSeconds: 30 },
      },
    });
  });

  it.each([
    ['service: Sample', 'service: must be a DNS label'],
    ['service: 1a', 'service: must be a DNS label'],
    [`service: ${'a'.repeat(64)}`, 'service: must be a DNS label'],
    ['version: 1.0', 'version: must be text of three numbers'],
    ['version: v1.0.0', 'version: must be a version such as 1.4.0'],
    ['version: 1.0.0+build', 'version: must be a version such as 1.4.0'],
    ['slipway: v2', 'slipway: must be v1'],
    ['environments: {}', 'environments: must name at least one environment'],
    ['environments:', 'environments: must be a mapping of names to values, not empty'],
    ['environments: { prod: { instances: 0 } }', 'environments.prod.instances: must be between 1 and 10000'],
    ['environments: { prod: { instances: 1.5 } }', 'environments.prod.instances: must be a whole number'],
    ['build: { pipeline: nod }', 'build.pipeline: must be node or docker; did you mean node?'],
    ['build: { dockerfile: /Dockerfile }', 'build.dockerfile: must be a path inside the repository'],
    ['build: { context: a/../../b }', 'build.context: must be a path inside the repository'],
    ['build: { timeout: 90 }', 'build.timeout: write a duration with its unit'],
    ['build: { tiemout: 90s }', 'build.tiemout: unknown key; did you mean timeout?'],
    ['build: { x: 1 }', 'build.x: unknown key; known here: pipeline, dockerfile, context, timeout'],
    ['run: { cpus: 0 }', 'run.cpus: must be between 0.01 and 256'],
    ['run: { cpus: .nan }', 'run.cpus: must be a number'],
    ['run: { memory: 64MB }', 'run.memory: write memory with its unit'],
    ['run: { health: healthz }', 'run.health: must be an HTTP path'],
    ['run: { env: { PORT: 80 } }', 'run.env.PORT: must be text; put it in quotes'],
    ['run: { env: { A-B: x } }', 'run.env.A-B: must be a variable name'],
    ['tests: { c: { dockerfile: D } }', 'tests.c.environments: is missing'],
    ['tests: { c: { dockerfile: D, environments: [] } }', 'tests.c.environments: must name at least one environment'],
    ['tests: { c: { dockerfile: D, environments: [prd] } }', 'tests.c.environments[0]: prd is not one of the'],
    ['tests: { c: { dockerfile: D, environments: [prod, prod] } }', 'tests.c.environments[1]: prod is named twice'],
    ['release: { strategy: canry }', 'release.strategy: must be canary or rolling or blue-green or recreate or brutal'],
    ['release: { canary: { weight: 5% } }', 'release.canary: must be a list, not a mapping'],
    ['release: { canary: [{ weight: 100% }] }', 'release.canary[0].weight: must be above 0% and below 100%'],
    ['release: { canary: [{ weight: 0% }] }', 'release.canary[0].weight: must be above 0% and below 100%'],
    ['release: { canary: [{ weight: 5 }] }', 'release.canary[0].weight: write a share with its sign'],
    [
      'release: { canary: [{ weight: 5% }, { weight: 5% }] }',
      'release.canary[1].weight: must be above the one before it, which is 5%',
    ],
    [
      'release: { canary: [{ instances: 3 }, { instances: 2 }] }',
      'release.canary[1].instances: must not be below the one before it, which is 3',
    ],
    ['release: { canary: [{ weight: 5%, hold: 1m }] }', 'release.canary[0]: write one key an entry'],
    ['release: { canary: [{}] }', 'release.canary[0]: write one key an entry'],
    ['release: { canary: [{ weigth: 5% }] }', 'release.canary[0].weigth: unknown key; did you mean weight?'],
    [
      'release: { canary: [{ weight: 5% }, { judge: errors }] }',
      'release.canary[1].judge: needs a hold between it and the weight before it',
    ],
    [
      'release: { canary: [{ hold: 5m }, { judge: errors }] }',
      'release.canary[1].judge: needs a weight and a hold before it',
    ],
    [
      'release: { canary: [{ weight: 5% }, { hold: 5m }, { judge: eror }] }',
      'release.canary[2].judge: eror is not one of release.metrics; did you mean errors?',
    ],
    ['release: { canary: [{ approve: 0 }] }', 'release.canary[0].approve: must be between 1 and 20'],
    [`release: { canary: [${'{ approve: 1 }, '.repeat(200)}] }`, 'release.canary: must have at most 199 entries'],
    ['release: { rolling: { batch: 0% } }', 'release.rolling.batch: must be above 0%'],
    ['release: { metrics: { errors: { alpha: 1 } } }', 'release.metrics.errors.alpha: must be above 0 and below 1'],
    [
      'release: { metrics: { errors: { maxErors: 1% } } }',
      'release.metrics.errors.maxErors: unknown key; did you mean maxE',
    ],
    ['release: { approvals: { group: Bosses } }', 'release.approvals.group: must be a DNS label'],
    [
      "release: { windows: [{ environments: [prd], from: '09:00', to: '17:00', zone: UTC }] }",
      'release.windows[0].environments[0]: prd is not one of the environments; did you mean prod?',
    ],
    [
      "release: { windows: [{ environments: [prod], days: [monday], from: '09:00', to: '17:00', zone: UTC }] }",
      'release.windows[0].days[0]: must be mon or tue',
    ],
    [
      "release: { windows: [{ environments: [prod], from: '24:00', to: '17:00', zone: UTC }] }",
      'release.windows[0].from: write a time such as 09:00',
    ],
    [
      'release: { windows: [{ environments: [prod], from: 9, to: 17:00, zone: UTC }] }',
      'release.windows[0].from: write a time such as 09:00',
    ],
    [
      "release: { windows: [{ environments: [prod], from: '09:00', to: '24:00', zone: Europe/Atlantis }] }",
      'release.windows[0].zone: is no time zone',
    ],
    ['release: { retryWithin: 25h }', 'release.retryWithin: must be between 0s and 24h'],
    [
      'scale: { min: 3, max: 2, requestsPerSecondPerInstance: 1 }',
      'scale.min: must not be above scale.max, which is 2',
    ],
    [
      'scale: { min: 1, max: 2, requestsPerSecondPerInstance: 0 }',
      'scale.requestsPerSecondPerInstance: must be above 0',
    ],
    ['retention: { keepReleases: 0 }', 'retention.keepReleases: must be between 1 and 10000'],
    ['relase: {}', 'relase: unknown key; did you mean release?'],
  ])('refuses `%s`', (line, expected) => {
    const key = line.slice(0, line.indexOf(':') + 1);
    const rest = SMALLEST.split('\n').filter((other) => !other.startsWith(key));
    const errors = errorsOf([...rest, line].join('\n'));
    expect(errors).toEqual([expect.stringContaining(expected)]);
    expect(errors[0]?.startsWith(expected)).toBe(true);
  });

  it('lists every mistake at once, those between fields too', () => {
    const errors = errorsOf(`
slipway: v1
version: 1.0
build: { pipelin: node }
environments: { fat: { instances: none }, prod: {} }
tests: { contract: { dockerfile: D, environments: [fta] } }
release: { canary: [{ weight: 50% }, { weight: 20%, judge: non }] }
scale: { min: 4, max: 2 }
`);
    expect(errors.map((error) => error.slice(0, error.indexOf(': ')))).toEqual([
      'service',
      'version',
      'build.pipelin',
      'environments.fat.instances',
      'scale.requestsPerSecondPerInstance',
      'tests.contract.environments[0]',
      'release.canary[1]',
      'release.canary[1].weight',
      'release.canary[1].judge',
      'release.canary[1].judge',
      'scale.min',
    ]);
  });

  it('refuses names whose DNS name would be too long', () => {
    const text = `slipway: v1\nservice: ${'s'.repeat(59)}\nversion: 1.0.0\nenvironments: { fat: {}, prod: {} }`;
    expect(errorsOf(text)).toEqual([expect.stringContaining('environments.prod: its DNS name')]);
  });

  it.each([
    ['a broken list', 'a: [1\nb: 2', 'line 2, column 1'],
    ['a repeated key', `${SMALLEST}service: other`, 'line 5, column 1: service is written twice'],
    ['a second document', `${SMALLEST}---\na: 1`, 'line 5, column 1: a second document begins'],
    ['an unknown tag', 'a: !secret x', 'line 1, column 4: Unresolved tag'],
    ['an alias', 'a: &x [1]\nb: *x', 'line 2, column 4: *x is an alias; write the value out instead'],
    ['a key of all objects', 'run: { env: { __proto__: x } }', 'line 1, column 15: __proto__ is not a usable key'],
    ['lists in lists without end', '['.repeat(20_000), 'is nested too deeply to be read'],
    ['a long word that it does not understand', `!${'x'.repeat(1000)} y`, 'x...'],
    ['an empty text', '', 'must be a mapping of keys to values, not empty'],
    ['a list', '- a', 'must be a mapping of keys to values, not a list'],
  ])('names %s', (_, text, expected) => {
    expect(errorsOf(text)).toEqual([expect.stringContaining(expected)]);
  });

  it('answers a text full of mistakes with the first hundred', () => {
    const holds = `release: { canary: [${'{ hold: 1 }, '.repeat(150)}] }`;
    const errors = errorsOf(`${SMALLEST}${holds}`);
    expect(errors).toHaveLength(101);
    expect(errors.at(-1)).toBe(': and 50 more errors');
    const keys = Array.from({ length: 25 }, (_, index) => `k${index}: 1`).join('\n');
    expect(errorsOf(`${SMALLEST}${keys}`).at(-1)).toBe(': and 5 more unknown keys');
  });

  it.each([
    [
      'environments',
      '{ prod: {},',
      (n: number) => `e${n}: {}`,
      ' }',
      'environments: must name at most 50 environments',
    ],
    ['tests', '{', (n: number) => `t${n}: { dockerfile: D, environments: [prod] }`, ' }', 'tests: must be at most 100'],
    ['release', '{ metrics: {', (n: number) => `m${n}: {}`, ' } }', 'release.metrics: must be at most 100'],
  ])('says how many there may be of %s, and compares no more of them', (key, begin, entry, end, expected) => {
    const rest = SMALLEST.split('\n').filter((line) => !line.startsWith(`${key}:`));
    const many = `${key}: ${begin}${Array.from({ length: 2000 }, (_, n) => entry(n)).join(', ')}${end}`;
    expect(errorsOf([...rest, many].join('\n'))).toEqual([expected]);
  });

  it('refuses text above 256 KB, counted in bytes', () => {
    const filled = (bytes: number, letter = 'x') =>
      `${SMALLEST}# ${letter.repeat((bytes - SMALLEST.length - 2) / Buffer.byteLength(letter))}`;
    const most = 256 * 1024;
    expect(parseManifest(filled(most)).ok).toBe(true);
    for (const text of [filled(most + 1), filled(most + 2, 'é')]) {
      expect(errorsOf(text)).toEqual([': is larger than 256 KB']);
    }
  });
});

describe('parseJudgePolicy', () => {
  it('reads the words of an entry of release.metrics, with their defaults', () => {
    expect(parseJudgePolicy('maxSlowdown: 20%\nmaxP99: 2s')).toEqual({
      ok: true,
      policy: { maxErrorPercent: 5, maxSlowdownPercent: 20, maxP99Ms: 2000, minRequests: 50, alpha: 0.05 },
    });
  });

  it.each([
    ['maxErrorIncrease: 0%', 'maxErrorIncrease', 'must be above 0%'],
    ['maxP99: 3', 'maxP99', 'such as 300ms or 2s'],
    ['maxP99: 0ms', 'maxP99', 'must be between 1ms and 600000ms'],
    ['maxError: 5%', 'maxError', 'maxErrors'],
    ['alpha: [', '', ''],
  ])('refuses %s', (text, path, message) => {
    const reading = parseJudgePolicy(text);
    expect(reading).toMatchObject({ ok: false });
    expect(!reading.ok && reading.errors[0]).toMatchObject({
      path: expect.stringContaining(path),
      message: expect.stringContaining(message),
    });
  });
});

describe('manifestJsonSchema', () => {
  it('is what docs/manifest.schema.json holds; `slipway manifest schema` prints it', () => {
    const published: unknown = JSON.parse(
      readFileSync(new URL('../../docs/manifest.schema.json', import.meta.url), 'utf8'),
    );
    expect(published).toEqual(manifestJsonSchema());
  });

  it('describes the text as people write it', () => {
    expect(manifestJsonSchema()).toMatchObject({
      title: 'slipway.yaml',
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      required: ['slipway', 'service', 'version', 'environments'],
      additionalProperties: false,
      properties: {
        release: { properties: { bake: { type: 'string', pattern: '^[0-9]{1,9}[smh]$', default: '10m' } } },
      },
    });
  });
});
