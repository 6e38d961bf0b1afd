/** The systems around Slipway fail in the middle of a release, and what people hand in is wrong. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Bundle } from '../../domain/bundle.ts';
import { FailureType } from '../../domain/failures.ts';
import { type Clients, startClients } from './clients.ts';
import { type DrivenRelease, startRelease } from './driven-release.ts';
import { type FaultPlatform, startFaultPlatform } from './fault-platform.ts';
import { expectSettled, type LiveRevisions } from './final-state.ts';

const PLATFORM_WITHIN_MS = 300_000;
const RELEASE_WITHIN_MS = 600_000;

/** The release tag of the service itself. */
const RELEASE_TAG = /^\/v2\/sample\/manifests\/v/;

describe('a release among systems that fail', () => {
  let fault: FaultPlatform;
  let clients: Clients | undefined;
  /** What the first release has built. */
  let bundle: Bundle | undefined;
  let number = 0;

  beforeAll(async () => {
    fault = await startFaultPlatform();
  }, PLATFORM_WITHIN_MS);

  afterAll(async () => {
    await clients?.end();
    await fault?.stop();
  }, PLATFORM_WITHIN_MS);

  /** Each release that goes through gets the next number in every environment. */
  const live = (): LiveRevisions => ({
    fat: { revision: `r${number}`, instances: 1 },
    prod: { revision: `r${number}`, instances: 3 },
  });

  async function approveAtItsTime(release: DrivenRelease): Promise<void> {
    await release.reaches('approve-prod');
    await release.approve();
  }

  const again = (): { readonly bundle: Bundle } => {
    if (bundle === undefined) throw new Error('the first release built no bundle');
    return { bundle };
  };

  it(
    'promotes once although the registry answers 500, also after it took the tag',
    async () => {
      const refused = fault.registry.arm({
        kind: '503-before',
        status: 500,
        method: 'PUT',
        path: RELEASE_TAG,
        times: 2,
      });
      const taken = fault.registry.arm({ kind: '503-after', status: 500, method: 'PUT', path: RELEASE_TAG, times: 1 });
      const release = await startRelease(fault, { ref: await fault.push('first') });
      await approveAtItsTime(release);
      const view = await release.ended();
      bundle = view.bundle;
      number += 1;

      expect(view).toMatchObject({ outcome: 'released' });
      expect([refused.hits, taken.hits]).toEqual([2, 1]);
      const { digest } = again().bundle.image;
      for (const replica of fault.platform.systems.registry.replicas) {
        const tag = await fetch(`http://${replica}/v2/sample/manifests/v1.0.0`, {
          method: 'HEAD',
          headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
        });
        expect(tag.headers.get('docker-content-digest')).toBe(digest);
      }
      await expectSettled(fault, live());
    },
    RELEASE_WITHIN_MS,
  );

  it(
    'goes on when Marathon answers 503 to every change that it made',
    async () => {
      clients = await startClients(fault.platform);
      const applied = { of: 'marathon', kind: '503-after-apply' } as const;
      await fault.marathon.set({
        routes: [
          { ...applied, method: 'POST', path: '^/v2/apps' },
          { ...applied, method: 'PUT' },
          // An app is asked to go until Marathon says that it knows none: one answer of those is lost in each environment.
          { ...applied, method: 'DELETE', path: '/fat/', times: 1 },
          { ...applied, method: 'DELETE', path: '/prod/', times: 1 },
        ],
      });
      const release = await startRelease(fault, { ref: await fault.push('good') });
      await approveAtItsTime(release);
      const view = await release.ended();
      const { seen } = await fault.marathon.get();
      await fault.marathon.clear();
      number += 1;

      expect(view).toMatchObject({ outcome: 'released' });
      expect(seen.routes.map(({ hits }) => hits > 0)).toEqual([true, true, true, true]);
      await expectSettled(fault, live());
      await clients.expectUnharmed();
    },
    RELEASE_WITHIN_MS,
  );

  it(
    'loses nothing when Temporal is restarted in a deploy and killed in a canary',
    async () => {
      const temporal = fault.platform.systems.temporal.process;
      const release = await startRelease(fault, again());
      await release.reaches('deploy-fat');
      await temporal.restart();
      await approveAtItsTime(release);
      await release.reaches('hold-prod');
      await temporal.kill9();
      await temporal.start();
      const view = await release.ended();
      number += 1;

      expect(view).toMatchObject({ outcome: 'released' });
      await expectSettled(fault, live());
      await clients?.expectUnharmed();
    },
    RELEASE_WITHIN_MS,
  );

  it(
    'moves all traffic, and none astray, when Consul is restarted in a shift and killed in the next',
    async () => {
      const consul = fault.platform.systems.consul.process;
      const release = await startRelease(fault, again());
      await approveAtItsTime(release);
      await release.reaches('shift-prod-2');
      await consul.restart();
      await release.reaches('shift-prod-3');
      await consul.kill9();
      await consul.start();
      const view = await release.ended();
      number += 1;

      expect(view).toMatchObject({ outcome: 'released' });
      await expectSettled(fault, live());
      await clients?.expectUnharmed();
    },
    RELEASE_WITHIN_MS,
  );

  it(
    'deploys nothing of a commit that does not build, and shows the log of the build',
    async () => {
      const release = await startRelease(fault, { ref: await fault.push('unbuildable') });
      const { outcome, failure, steps } = await release.ended();
      expect(outcome).toBe('failed');
      expect(failure).toMatchObject({
        type: FailureType.BuildFailed,
        step: 'build',
        message: 'build stage unit-test ended with exit code 1',
        details: [{ stage: 'unit-test', logTail: expect.stringContaining('✖ every good has a price') }],
      });
      expect(steps.map((step) => step.outcome)).toEqual(['failed', ...steps.slice(1).map(() => 'skipped')]);
      await expectSettled(fault, live());
      await clients?.expectUnharmed();
    },
    RELEASE_WITHIN_MS,
  );

  it(
    'names every error of a manifest with its path, and begins nothing',
    async () => {
      const release = await startRelease(fault, { ref: await fault.push('misdescribed') });
      const { outcome, failure, steps } = await release.ended();
      expect(outcome).toBe('failed');
      expect(failure).toMatchObject({
        type: FailureType.ManifestInvalid,
        details: [[{ path: 'version' }, { path: 'run.memory' }, { path: 'release.canary[1].weight' }]],
      });
      expect(steps).toEqual([]);
      await expectSettled(fault, live());
      await clients?.expectUnharmed();
    },
    RELEASE_WITHIN_MS,
  );
});
