import { afterAll, expect } from '@jest/globals';
import type { Load } from '../../../local/demo/load.ts';
import { until } from '../../../local/platform/until.ts';
import { chapter } from '../chapter.ts';
import type { Running } from '../command.ts';
import { SHOP } from '../services.ts';
import type { Stage } from '../stage.ts';
import { storyOf } from '../temporal-story.ts';
import { healthyOf, type World } from '../world.ts';

const SETTLED_WITHIN_MS = 90_000;
const NAME = 'shop-prod.service.consul';

/** Several releases of one service, and every way out of one that is under way. */
export function lanesAndWaysBack(stage: () => Stage): void {
  chapter('a service with two instances in production', (step) => {
    let clients: Load | undefined;
    let before: World;
    let watched: Running;
    let second: Running;
    let bundle: string;

    afterAll(() => clients?.end());

    const expectUnharmed = async (): Promise<void> => {
      const report = await clients?.report();
      expect(report).toMatchObject({ failed: 0, failures: [] });
      expect(report?.requests).toBeGreaterThan(0);
    };
    /** Every system says again what it said before: apps and their very instances, weights, names, configuration. */
    const expectAsBefore = () =>
      stage().worldWhen(SHOP, 'the world to be as before', (seen) => expect(seen).toEqual(before));
    const publish = async (version: number, value: string): Promise<void> => {
      const url = `${stage().platform.systems.consul.url}/v1/kv/cfg/prod/${SHOP}/v/${version}`;
      const answer = await fetch(url, { method: 'PUT', body: value, signal: AbortSignal.timeout(60_000) });
      expect([answer.status, await answer.text()]).toEqual([200, 'true']);
    };

    step('needs no approval where its manifest asks for none, and runs the configuration it was given', async () => {
      const { slipway, commits, file, look, worldWhen } = stage();
      await publish(1, '{"colour":"blue"}');
      await publish(2, '{"colour":"red"}');
      const order = ['release', SHOP, '--ref', commits.shop.first, '--config-version', '1', '--key', 'first'];
      const { code, stdout } = await slipway.run([...order, '--watch']);
      expect([code, stdout]).toEqual([0, expect.stringContaining('shop 1.0.0 · released')]);
      bundle = file('bundle.json', JSON.stringify((await look('shop/first')).bundle));
      before = await worldWhen(SHOP, 'both instances to be healthy', (seen) => {
        expect(healthyOf(seen)).toEqual([['/prod/shop/r1', 2]]);
      });
      expect(before.names[NAME]).toHaveLength(1);
      expect(before.keys['cfg/prod/shop/current']).toBe('1');
      clients = await stage().clientsOf(SHOP, 30);
    });

    step('shares its traffic with a canary as the plan says', async () => {
      const { slipway, commits, releaseUntil, temporal, worldWhen } = stage();
      watched = slipway.start(['release', SHOP, '--ref', commits.shop.watched, '--key', 'watched', '--watch']);
      await releaseUntil('shop/watched', 'to watch its canary', ({ wait }) => wait?.reason === 'canary-figures');
      const { weights, keys } = await worldWhen(SHOP, 'all instances to be healthy', (seen) => {
        expect(healthyOf(seen)).toEqual([
          ['/prod/shop/r1', 2],
          ['/prod/shop/r1-baseline', 1],
          ['/prod/shop/r2', 1],
        ]);
      });
      const weightOf = (revision: string) =>
        Object.entries(weights)
          .filter(([server]) => server.startsWith(`prod.shop ${revision}.`))
          .reduce((sum, [, weight]) => sum + weight, 0);
      const share = (100 * weightOf('r2')) / (weightOf('r1') + weightOf('r1-baseline') + weightOf('r2'));
      expect(share).toBeGreaterThan(9.5);
      expect(share).toBeLessThan(10.5);
      expect(JSON.parse(keys['slipway/traffic/prod/shop'] ?? '')).toMatchObject({
        shares: { r1: 80, 'r1-baseline': 10, r2: 10 },
      });
      await until(
        'clients to be answered by the canary',
        async () => expect(Object.keys((await clients?.report())?.byRevision ?? {})).toContain('r2'),
        { withinMs: SETTLED_WITHIN_MS, everyMs: 250 },
      );
      const story = await storyOf(temporal, 'release/shop/watched');
      expect(story).toMatchObject({
        status: 'RUNNING',
        attributes: { SlipwayStage: 'hold-prod', SlipwayEnvironment: 'prod', SlipwayRevision: 'r2' },
        withoutSummary: [],
      });
      expect(story.currentDetails).toContain('Waiting: watching 1 canary instance with 10 % of the traffic');
      expect(story.summaries).toContain('Traffic of prod: 10 % to r2, 10 % to r1-baseline, 80 % to r1');
    });

    step('is released by one at a time: the next waits for the lane, or is refused if it asked so', async () => {
      const { slipway, releaseUntil, temporal } = stage();
      const order = (key: string) => ['release', SHOP, '--bundle', bundle, '--key', key, '--watch'];
      second = slipway.start(order('second'));
      const { wait } = await releaseUntil('shop/second', 'to wait', (view) => view.wait?.reason === 'admission');
      expect(wait).toMatchObject({ sentence: 'waiting for the lane of shop in prod' });
      const refused = await slipway.run([...order('third'), '--when-busy', 'refuse']);
      expect([refused.code, refused.stdout]).toEqual([7, expect.stringContaining('LaneBusy')]);
      expect(refused.stdout).toContain('shop/watched holds prod');
      const { stdout } = await slipway.run(['lanes', SHOP, '--environment', 'prod']);
      expect(stdout).toMatch(/\nshop +prod +r1 +1\.0\.0 +2 +shop\/watched\n$/);
      const { currentDetails } = await storyOf(temporal, 'lane/prod/shop');
      expect(currentDetails).toContain('held by release/shop/watched');
      expect(currentDetails).toContain('waiting: release/shop/second');
    });

    step('is as before when a canary is aborted', async () => {
      const { slipway, chat, world } = stage();
      // The next must not begin before the world was looked at.
      expect(await chat.say('bob', 'abort shop/second not now')).toMatchObject({ ok: true });
      expect((await second.ended).code).toBe(6);
      const { code, stdout } = await slipway.run(['abort', 'shop/watched', '--reason', 'wrong colour', '--watch']);
      expect(code).toBe(0);
      expect(stdout).toContain('shop 2.1.0 · stopped');
      expect(stdout).toContain('ann: wrong colour');
      const seen = await watched.ended;
      expect([seen.code, seen.stderr]).toEqual([6, expect.stringContaining('rollback in prod: ann: wrong colour')]);
      expect(Object.keys((await world(SHOP)).apps)).toEqual(['/prod/shop/r1']);
      await expectAsBefore();
      await expectUnharmed();
    });

    step('lets the next release in when the lane is free again; chat can ask for it, and stop it', async () => {
      const { slipway, chat, notices, releaseUntil } = stage();
      const order = (key: string) => ['release', SHOP, '--bundle', bundle, '--key', key];
      expect((await slipway.run(order('fourth'))).code).toBe(0);
      await releaseUntil('shop/fourth', 'to watch its canary', ({ wait }) => wait?.reason === 'canary-figures');
      const fifth = slipway.start([...order('fifth'), '--watch']);
      await releaseUntil('shop/fifth', 'to wait', ({ wait }) => wait?.reason === 'admission');
      expect((await slipway.run(['abort', 'shop/fourth', '--reason', 'make way'])).code).toBe(0);
      await releaseUntil('shop/fifth', 'to be let in', ({ wait }) => wait?.reason === 'canary-figures');

      const status = await chat.say('bob', 'status shop/fifth');
      expect(status).toMatchObject({ status: 200, ok: true });
      expect(status.text).toContain('shop/fifth 1.0.0: running\nStep: hold-prod\nWaiting: watching 1 canary instance');
      const unclear = await chat.say('bob', 'abort shop/fifth');
      expect(unclear).toMatchObject({ ok: false, text: 'Say: abort <service>/<key> <reason>' });
      expect(await chat.say('bob', 'abort shop/fifth wrong weather')).toMatchObject({
        ok: true,
        text: 'bob stopped shop/fifth; it is being undone.',
      });
      expect((await fifth.ended).code).toBe(6);
      await until(
        'the room to hear of the end',
        () =>
          expect(notices.map(({ release, text }) => `${release} ${text}`)).toContain(
            'release/shop/fifth shop 1.0.0 ended as aborted: bob: wrong weather',
          ),
        { withinMs: SETTLED_WITHIN_MS },
      );
      await expectAsBefore();
      await expectUnharmed();
    });

    step('goes back in a bake to the instances that stayed warm, configuration and all', async () => {
      const { slipway, commits, look, platform, releaseUntil, worldWhen } = stage();
      const order = ['release', SHOP, '--ref', commits.shop.warm, '--config-version', '2', '--key', 'warm'];
      const watch = slipway.start([...order, '--watch']);
      await releaseUntil('shop/warm', 'to bake', ({ wait }) => wait?.reason === 'bake');
      const baking = await worldWhen(SHOP, 'both revisions to be healthy, and nothing else to run', (seen) => {
        const [revision = '', ...others] = Object.keys(seen.apps).filter((id) => id !== '/prod/shop/r1');
        expect(others).toEqual([]);
        expect(seen.apps).toMatchObject({ ...before.apps, [revision]: [expect.any(String), expect.any(String)] });
      });
      expect(baking.keys['cfg/prod/shop/current']).toBe('2');

      // Who watches stays with it when the API goes away and comes back.
      await platform.slipway.api.kill9();
      await watch.said('lost sight of the release, trying again');
      await platform.slipway.api.start();
      const back = await slipway.run(['rollback', 'shop/warm', '--reason', 'too red', '--watch']);
      expect([back.code, back.stdout]).toEqual([0, expect.stringContaining('shop 2.0.0 · rolled back')]);
      expect((await watch.ended).code).toBe(5);
      const { outcome, rollbacks } = await look('shop/warm');
      expect(outcome).toBe('rolled-back');
      expect(rollbacks).toMatchObject([{ environment: 'prod', reason: 'ann: too red', trafficAt: expect.any(String) }]);
      await expectAsBefore();
      await expectUnharmed();
    });
  });
}
