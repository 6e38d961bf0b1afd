import { expect } from '@jest/globals';
import { z } from 'zod';
import { RegistryClient } from '../../../activities/registry/client.ts';
import { type Bundle, bundleOf } from '../../../domain/bundle.ts';
import { planSchema } from '../../../domain/schemas/release.ts';
import { chapter } from '../chapter.ts';
import type { Running } from '../command.ts';
import { SHOP } from '../services.ts';
import type { Stage } from '../stage.ts';
import { healthyOf, type World } from '../world.ts';

/** The version of the configuration that what serves now was given. */
const SERVES_WITH = 1;

/** What people say when things do not go the usual way: takes place where `people` has left the shop. */
export function seldomSaid(stage: () => Stage): void {
  chapter('what people seldom say', (step) => {
    let first: Bundle;
    let freeze: string;
    let older: Running;
    let newer: Running;

    const said = async (args: readonly string[], env = {}): Promise<string> => {
      const { code, stdout, stderr } = await stage().slipway.run(args, env);
      expect([args, code, stderr]).toEqual([args, 0, expect.any(String)]);
      return `${stdout}${stderr}`;
    };
    /** What there is, once so many instances of each app are healthy; the most first. */
    const worldWith = (...counts: readonly number[]): Promise<World> =>
      stage().worldWhen(SHOP, `${counts.join(', ')} healthy instances`, (seen) => {
        const found = healthyOf(seen).map(([, instances]) => instances);
        expect(found.toSorted((one, other) => other - one)).toEqual(counts);
      });
    const instances = async (count: number): Promise<void> => {
      const { apps } = await stage().world(SHOP);
      const [app] = Object.keys(apps);
      const answer = await fetch(`${stage().platform.urls.marathon}/v2/apps/${app}`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ instances: count }),
        signal: AbortSignal.timeout(60_000),
      });
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('deploymentId')]);
    };
    const configuration = async (method: 'DELETE' | 'PUT', body?: string): Promise<void> => {
      const url = `${stage().platform.systems.consul.url}/v1/kv/cfg/prod/${SHOP}/v/${SERVES_WITH}`;
      const answer = await fetch(url, {
        method,
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(60_000),
      });
      expect([answer.status, await answer.text()]).toEqual([200, 'true']);
    };
    const order = (key: string, file: string) => ['release', SHOP, '--bundle', file, '--key', key, '--watch'];
    const stepsOf = async (release: string): Promise<Record<string, string>> => {
      const { steps } = await stage().look(release);
      return Object.fromEntries(steps.map(({ id, detail }) => [id, detail ?? '']));
    };

    step('take over what was changed by hand: a release that waits for that word goes on from there', async () => {
      const { file, look, releaseUntil, slipway } = stage();
      const { bundle } = await look('shop/first');
      if (bundle === undefined) throw new Error('shop/first has no bundle');
      first = bundle;
      const stop = await said(['freeze', '--environment', 'prod', '--service', SHOP, '--reason', 'stock-taking']);
      [freeze = ''] = stop.split('\n');
      await instances(3);
      older = slipway.start(order('older', file('first.json', JSON.stringify(first))));
      await releaseUntil('shop/older', 'to wait', ({ wait }) => wait?.sentence.includes('by hand') ?? false);
      await said(['lane', 'adopt', 'prod', SHOP, '--reason', 'three it is']);
      await releaseUntil('shop/older', 'to be frozen', ({ wait }) => wait?.reason === 'freeze');
      expect(await said(['lane', 'show', 'prod', SHOP])).toMatch(/1\.0\.0.* 3 instances/);
    });

    step('let a newer release take the place of one that has changed nothing yet', async () => {
      const { file, look, releaseUntil, slipway } = stage();
      const start = [...order('newer', file('first.json', JSON.stringify(first))), '--when-busy', 'supersede'];
      newer = slipway.start(start);
      expect((await older.ended).code).toBe(6);
      expect(await look('shop/older')).toMatchObject({ outcome: 'aborted', failure: { type: 'Superseded' } });
      await releaseUntil('shop/newer', 'to be frozen', ({ wait }) => wait?.reason === 'freeze');
    });

    step('skip an analysis that has nothing to go by: two of them, and never who asked for the release', async () => {
      const { bob, cleo, releaseUntil, slipway } = stage();
      await said(['unfreeze', freeze, '--reason', 'all is counted']);
      await releaseUntil('shop/newer', 'to watch its canary', ({ wait }) => wait?.reason === 'canary-figures');
      await said(['skip-hold', 'shop/newer', '--reason', 'no need to wait']);
      await releaseUntil('shop/newer', 'to be judged', ({ steps }) =>
        steps.some(({ id, outcome }) => id === 'judge-prod' && outcome === 'running'),
      );
      const skip = ['skip-analysis', 'shop/newer', '--reason', 'the shop is shut'];
      const refused = await slipway.run(skip);
      expect([refused.code, refused.stderr]).toEqual([expect.any(Number), expect.stringContaining('SelfApproval')]);
      expect(await said(skip, bob)).toContain('one more person must say so');
      await configuration('DELETE');
      expect(await said(skip, cleo)).not.toContain('more person');
    });

    step('are told that going back would lack its configuration; nothing moves until it is there again', async () => {
      const { releaseUntil } = stage();
      await releaseUntil('shop/newer', 'to wait', ({ wait }) => wait?.reason === 'rollback-readiness');
      const { apps, weights } = await worldWith(3, 1, 1);
      const missing = `version ${SERVES_WITH} of the configuration is not there any more; publish it again`;
      expect(await said(['status', 'shop/newer'])).toContain(`the way back is not ready: ${missing}`);
      expect(await worldWith(3, 1, 1)).toMatchObject({ apps, weights });
      await configuration('PUT', '{"colour":"blue"}');
      expect((await newer.ended).code).toBe(0);
      expect((await stepsOf('shop/newer'))['judge-prod']).toBe('skipped by bob and cleo');
    });

    step('promote fully: what is left of holds and analyses is skipped', async () => {
      const { bob, cleo, file, look, releaseUntil, slipway } = stage();
      const urgent = slipway.start(order('urgent', file('first.json', JSON.stringify(first))));
      await releaseUntil('shop/urgent', 'to watch its canary', ({ wait }) => wait?.reason === 'canary-figures');
      const promote = ['promote-fully', 'shop/urgent', '--reason', 'now or never'];
      expect(await said(promote, bob)).toContain('one more person must say so');
      expect(await said(promote, cleo)).not.toContain('more person');
      expect((await urgent.ended).code).toBe(0);
      expect(await stepsOf('shop/urgent')).toMatchObject({
        'hold-prod': 'skipped by bob and cleo',
        'judge-prod': 'skipped by bob and cleo',
      });
      expect((await look('shop/urgent')).verdicts).toEqual([]);
      await worldWith(3);
    });

    step(
      'mend what a step failed for and have it tried again; a closed window still holds the release up',
      async () => {
        const { commits, file, platform, releaseUntil, slipway } = stage();
        const registry = new RegistryClient({ address: platform.systems.registry.address, insecure: true });
        const manifestOf = async (reference: string) => {
          const found = await registry.getManifest(SHOP, reference);
          if (found === undefined) throw new Error(`the registry has no ${reference}`);
          return found;
        };
        // Somebody has pushed something else under the tag of the version.
        await registry.putManifest(SHOP, 'v3.0.0', await manifestOf('v2.0.0'));
        const ref = commits.shop.guarded;
        const { plan } = z
          .object({ plan: planSchema })
          .parse(JSON.parse(await said(['plan', SHOP, '--ref', ref, '-o', 'json'])));
        const { manifestDigest, version } = plan;
        const guarded = bundleOf({ ...first, version, commit: ref, manifestDigest });
        const before = (await worldWith(3)).apps;
        const started = slipway.start(order('guarded', file('guarded.json', JSON.stringify(guarded))));
        const failed = await releaseUntil('shop/guarded', 'to fail', ({ wait }) => wait?.reason === 'retry');
        expect(failed.wait?.sentence).toContain('promote failed');
        const another = await slipway.run(['retry-step', 'shop/guarded', 'shift-prod-1', '--reason', 'try this']);
        expect([another.code, another.stderr]).toEqual([7, expect.stringContaining('NothingToRetry')]);

        await registry.putManifest(SHOP, 'v3.0.0', await manifestOf(first.image.digest));
        await said(['retry-step', 'shop/guarded', 'promote', '--reason', 'the tag is right now']);
        const held = await releaseUntil('shop/guarded', 'to be held up', ({ wait }) => wait?.reason === 'window');
        expect(held.steps.find(({ id }) => id === 'promote')?.outcome).toBe('done');
        expect(await said(['status', 'shop/guarded'])).toContain(
          'prod takes no releases now: its next window opens at',
        );
        expect((await worldWith(3)).apps).toEqual(before);
        await said(['abort', 'shop/guarded', '--reason', 'not today']);
        expect((await started.ended).code).toBe(6);
        expect((await worldWith(3)).apps).toEqual(before);
      },
    );
  });
}
