/** Any manifest, written as people write it, is read back as it was. */
import { describe, expect, it } from '@jest/globals';
import Ajv2020 from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { type CanaryEntry, type JudgePolicy, type Manifest, STRATEGIES } from '../manifest.ts';
import { WEEKDAYS } from '../window.ts';
import { manifestJsonSchema, parseManifest } from './manifest.ts';
import { durationText } from './quantities.ts';

describe('parseManifest', () => {
  it('reads back any valid manifest', () => {
    fc.assert(
      fc.property(anyManifest(), (manifest) => {
        expect(parseManifest(stringify(asWritten(manifest)))).toEqual({ ok: true, manifest });
      }),
      { numRuns: 60 },
    );
  });

  it('agrees with the JSON Schema by which editors mark mistakes', () => {
    const holds = new Ajv2020.default({ allErrors: true }).compile(manifestJsonSchema());
    fc.assert(
      fc.property(anyManifest(), (manifest) => {
        expect([holds(parse(stringify(asWritten(manifest)))), holds.errors]).toEqual([true, null]);
      }),
      { numRuns: 60 },
    );
    const smallest = { slipway: 'v1', service: 'sample', version: '1.0.0', environments: { prod: {} } };
    expect(holds(smallest)).toBe(true);
    for (const wrong of [
      { relase: {} },
      { slipway: 'v0' },
      { service: 'My_Service' },
      { build: { timeout: '90' } },
      { run: { memory: '64MB' } },
      { environments: { Prod: {} } },
      { environments: { prod: { instances: 0 } } },
      { release: { strategy: 'canry' } },
      { release: { canary: [{ weight: '5%', hold: '1m' }] } },
      { release: { canary: [{ wait: '1m' }] } },
      { release: { canary: Array.from({ length: 200 }, () => ({ hold: '1m' })) } },
      { release: { metrics: { errors: { maxErrors: '5' } } } },
      { retention: { keepReleases: 0 } },
    ]) {
      expect([wrong, holds({ ...smallest, ...wrong })]).toEqual([wrong, false]);
    }
  });

  it('answers any text without throwing, and an error wherever it refuses', () => {
    const soup = fc.oneof(
      fc.string(),
      fc.json(),
      fc.object().map((value) => stringify(value)),
    );
    fc.assert(
      fc.property(soup, (text) => {
        const reading = parseManifest(text);
        expect(reading.ok || reading.errors.length > 0).toBe(true);
      }),
    );
  });
});

function policyAsWritten(policy: JudgePolicy): object {
  const { maxErrorPercent, maxErrorIncreasePercent, maxSlowdownPercent, maxP99Ms, minRequests, alpha } = policy;
  return {
    maxErrors: `${maxErrorPercent}%`,
    ...(maxErrorIncreasePercent === undefined ? {} : { maxErrorIncrease: `${maxErrorIncreasePercent}%` }),
    ...(maxSlowdownPercent === undefined ? {} : { maxSlowdown: `${maxSlowdownPercent}%` }),
    ...(maxP99Ms === undefined ? {} : { maxP99: `${maxP99Ms}ms` }),
    minRequests,
    alpha,
  };
}

function entryAsWritten(entry: CanaryEntry): object {
  switch (entry.kind) {
    case 'instances':
      return { instances: entry.instances };
    case 'weight':
      return { weight: `${entry.weight}%` };
    case 'hold':
      return { hold: durationText(entry.seconds) };
    case 'judge':
      return { judge: entry.name };
    case 'approve':
      return { approve: entry.count };
  }
}

/** The friendly text of a manifest, as `slipway.yaml` shows it. */
function asWritten(manifest: Manifest): unknown {
  const { build, run, release, scale } = manifest;
  return {
    slipway: manifest.slipway,
    service: manifest.service,
    version: manifest.version,
    build: { ...build, timeout: durationText(build.timeoutSeconds), timeoutSeconds: undefined },
    run: {
      cpus: run.cpus,
      memory: `${run.memoryMiB}MiB`,
      health: run.healthPath,
      start: durationText(run.startSeconds),
      env: run.env,
    },
    environments: Object.fromEntries(manifest.environments.map(({ name, ...rest }) => [name, rest])),
    tests: Object.fromEntries(
      manifest.tests.map(({ name, timeoutSeconds, ...rest }) => [
        name,
        { ...rest, timeout: durationText(timeoutSeconds) },
      ]),
    ),
    release: {
      strategy: release.strategy,
      canary: release.canary.map(entryAsWritten),
      rolling: { batch: `${release.rolling.batchPercent}%`, surge: `${release.rolling.surgePercent}%` },
      metrics: Object.fromEntries(
        Object.entries(release.metrics).map(([name, policy]) => [name, policyAsWritten(policy)]),
      ),
      approvals: {
        ...release.approvals,
        expires: durationText(release.approvals.expiresSeconds),
        expiresSeconds: undefined,
      },
      windows: release.windows,
      bake: durationText(release.bakeSeconds),
      retryWithin: durationText(release.retryWithinSeconds),
    },
    ...(scale && {
      scale: {
        min: scale.min,
        max: scale.max,
        requestsPerSecondPerInstance: scale.requestsPerSecondPerInstance,
        downAfter: durationText(scale.downAfterSeconds),
      },
    }),
    retention: manifest.retention,
  };
}

function anyManifest(): fc.Arbitrary<Manifest> {
  const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/);
  const path = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}(\/[A-Za-z0-9_.-]{0,4}[a-z]){0,3}$/);
  const whole = (min: number, max: number) => fc.integer({ min, max });
  const share = (min: number, max: number) =>
    whole(Math.round(min * 1000), Math.round(max * 1000)).map((thousandths) => thousandths / 1000);
  const env = fc
    .dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,10}$/), fc.string())
    .map((variables) => ({ ...variables }));
  const positive = fc.double({ min: 0.01, max: 256, noNaN: true });

  const environments = fc.uniqueArray(fc.record({ name: label, instances: whole(1, 10_000), env }), {
    selector: ({ name }) => name,
    minLength: 1,
    maxLength: 5,
  });
  const policy = fc.record(
    {
      maxErrorPercent: share(0, 100),
      maxErrorIncreasePercent: share(0.001, 100),
      maxSlowdownPercent: share(0.001, 100),
      maxP99Ms: whole(1, 600_000),
      minRequests: whole(1, 1_000_000_000),
      alpha: fc.double({ min: 0, max: 1, minExcluded: true, maxExcluded: true, noNaN: true }),
    },
    { requiredKeys: ['maxErrorPercent', 'minRequests', 'alpha'] },
  );
  const metrics = fc
    .tuple(policy, fc.dictionary(label, policy, { maxKeys: 3 }))
    .map(([errors, more]) => ({ errors, ...more }));
  /** Weights that rise; each may be held and then judged. */
  const canary = (judges: readonly string[]): fc.Arbitrary<CanaryEntry[]> =>
    fc
      .uniqueArray(share(0.001, 99.999), { maxLength: 4 })
      .chain((shares) =>
        fc
          .tuple(
            ...shares
              .sort((a, b) => a - b)
              .map((weight) =>
                fc
                  .tuple(whole(1, 86_400), fc.constantFrom(...judges), whole(1, 20), whole(0, 3))
                  .map(([seconds, name, count, length]): CanaryEntry[] => [
                    { kind: 'weight', weight },
                    ...[
                      { kind: 'hold', seconds } as const,
                      { kind: 'judge', name } as const,
                      { kind: 'approve', count } as const,
                    ].slice(0, length),
                  ]),
              ),
          )
          .map((parts) => parts.flat()),
      );
  const releaseFor = (names: readonly string[]) =>
    metrics.chain((judges) =>
      fc.record({
        strategy: fc.constantFrom(...STRATEGIES),
        canary: canary(Object.keys(judges)),
        rolling: fc.record({ batchPercent: share(0.001, 100), surgePercent: share(0, 100) }),
        metrics: fc.constant(judges),
        approvals: fc.record(
          { count: whole(0, 20), group: label, expiresSeconds: whole(1, 2_592_000) },
          { requiredKeys: ['count', 'expiresSeconds'] },
        ),
        windows: fc.array(
          fc.record({
            environments: fc.subarray([...names], { minLength: 1 }),
            days: fc.subarray([...WEEKDAYS], { minLength: 1 }),
            from: fc.constantFrom('00:00', '09:30', '23:59'),
            to: fc.constantFrom('00:01', '17:00', '24:00'),
            zone: fc.constantFrom('UTC', 'Asia/Shanghai', 'America/New_York'),
          }),
          { maxLength: 2 },
        ),
        bakeSeconds: whole(0, 604_800),
        retryWithinSeconds: whole(0, 86_400),
      }),
    );
  const scale = fc
    .tuple(whole(1, 10_000), whole(1, 10_000), positive, whole(0, 86_400))
    .map(([one, other, rate, down]) => ({
      min: Math.min(one, other),
      max: Math.max(one, other),
      requestsPerSecondPerInstance: rate,
      downAfterSeconds: down,
    }));
  const testsFor = (names: readonly string[]) =>
    fc.uniqueArray(
      fc.record({
        name: label,
        dockerfile: path,
        environments: fc.subarray([...names], { minLength: 1 }),
        timeoutSeconds: whole(1, 86_400),
      }),
      { selector: ({ name }) => name, maxLength: 3 },
    );

  return environments.chain((places) =>
    fc
      .record({
        slipway: fc.constant('v1' as const),
        service: label,
        version: fc.stringMatching(/^(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})(-rc\.[0-9])?$/),
        build: fc.record({
          pipeline: fc.constantFrom('node' as const, 'docker' as const),
          dockerfile: path,
          context: path,
          timeoutSeconds: whole(1, 86_400),
        }),
        run: fc.record({
          cpus: positive,
          memoryMiB: whole(8, 1024 * 1024),
          healthPath: fc.stringMatching(/^\/[a-z0-9/?=&_-]{0,20}$/),
          startSeconds: whole(1, 3600),
          env,
        }),
        environments: fc.constant(places),
        tests: testsFor(places.map(({ name }) => name)),
        release: releaseFor(places.map(({ name }) => name)),
        retention: fc.record({ keepReleases: whole(1, 10_000) }),
      })
      .chain((manifest) =>
        fc.option(scale, { nil: undefined }).map((bounds) => (bounds ? { ...manifest, scale: bounds } : manifest)),
      ),
  );
}
