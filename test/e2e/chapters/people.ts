import { afterAll, beforeAll, expect } from '@jest/globals';
import { z } from 'zod';
import { vetoListSchema } from '../../../domain/schemas/veto.ts';
import type { Load } from '../../../local/demo/load.ts';
import { until } from '../../../local/platform/until.ts';
import { chapter } from '../chapter.ts';
import type { Running } from '../command.ts';
import { SHOP } from '../services.ts';
import type { Stage } from '../stage.ts';
import { storyOf } from '../temporal-story.ts';
import { healthyOf, type World } from '../world.ts';

const LANE = 'lane/prod/shop';
/** Longest time until a hand-made change is seen, put back, or no longer one. */
const SEEN_WITHIN_MS = 180_000;
const SETTLED_WITHIN_MS = 90_000;
/** Enough for the canary of the version that is watched to be judged within seconds. */
const REQUESTS_PER_SECOND = 60;

/** What people say to releases and lanes, and what is done about what they did past them. */
export function people(stage: () => Stage): void {
  chapter('people with something to say', (step) => {
    let clients: Load;
    let first: string;
    let back: string;
    let warm: string;
    let waits: Running;

    beforeAll(async () => {
      clients = await stage().clientsOf(SHOP, REQUESTS_PER_SECOND);
    });
    afterAll(() => clients?.end());

    const said = async (args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await stage().slipway.run(args);
      expect([args, code, stderr]).toEqual([args, 0, expect.any(String)]);
      return stdout;
    };
    const instances = async (count: number): Promise<void> => {
      const answer = await fetch(`${stage().platform.urls.marathon}/v2/apps//prod/${SHOP}/r1`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ instances: count }),
        signal: AbortSignal.timeout(60_000),
      });
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('deploymentId')]);
    };
    /** Just these run, so many healthy instances of each. */
    const run = (what: string, instances: Readonly<Record<string, number>>): Promise<World> =>
      stage().worldWhen(SHOP, what, (seen) => expect(Object.fromEntries(healthyOf(seen))).toEqual(instances));
    const detailsOf = async (workflow: string): Promise<string> => {
      const { currentDetails, withoutSummary } = await storyOf(stage().temporal, workflow);
      expect(withoutSummary).toEqual([]);
      return currentDetails;
    };

    step('keep a bundle away that was rolled back, until they lift the veto', async () => {
      const { file, look, slipway } = stage();
      const { bundle } = await look('shop/warm');
      warm = bundle?.id ?? '';
      first = (await look('shop/first')).bundle?.id ?? '';
      back = file('warm.json', JSON.stringify(bundle));
      const list = ['veto', 'list', SHOP, '-o', 'json'];
      const { vetoes } = vetoListSchema.extend({ v: z.literal(1) }).parse(JSON.parse(await said(list)));
      expect(vetoes).toMatchObject([
        { environment: 'prod', veto: { bundle: warm, version: '2.0.0', reason: 'ann: too red' } },
      ]);

      const refused = await slipway.run(['release', SHOP, '--bundle', back, '--key', 'vetoed', '--watch']);
      expect([refused.code, refused.stdout]).toEqual([5, expect.stringContaining('Vetoed')]);
      expect(refused.stdout).toContain('ann: too red; lift the veto or release a new version');
      await run('nothing to have begun', { '/prod/shop/r1': 2 });

      const lift = ['veto', 'lift', 'prod', SHOP, warm, '--reason', 'it was the light'];
      const lifted = await slipway.run(lift);
      expect([lifted.code, lifted.stderr]).toEqual([0, '2.0.0 may go to prod again\n']);
      expect(await slipway.run(['veto', 'list', SHOP])).toMatchObject({ code: 0, stderr: 'No vetoes.\n' });
      const twice = await slipway.run(lift);
      expect([twice.code, twice.stderr]).toEqual([expect.any(Number), expect.stringContaining('UnknownVeto')]);
      expect(twice.code).not.toBe(0);
    });

    step('are told what was changed by hand in Marathon; nothing is built upon it', async () => {
      const { notices, releaseUntil, slipway, temporal } = stage();
      const named = 'r1 was scaled by hand: 3 instances, not 2';
      await instances(3);
      await until(
        'the lane to name it',
        async () => expect(await said(['lane', 'show', 'prod', SHOP])).toContain(`\n  ${named}\n`),
        { withinMs: SEEN_WITHIN_MS, everyMs: 500 },
      );
      await until(
        'Temporal and the room to tell it too',
        async () => {
          expect(await detailsOf(LANE)).toContain(`changed by hand: ${named}`);
          expect((await storyOf(temporal, LANE)).attributes).toMatchObject({ SlipwayStage: 'drift' });
          expect(notices.map(({ kind, text }) => `${kind} ${text}`)).toContainEqual(
            expect.stringContaining(`drift shop in prod was changed by hand: ${named}.`),
          );
        },
        { withinMs: SETTLED_WITHIN_MS, everyMs: 250 },
      );

      const order = ['release', SHOP, '--bundle', back, '--watch'];
      const refused = await slipway.run([...order, '--key', 'hurried', '--when-busy', 'refuse']);
      expect([refused.code, refused.stdout]).toEqual([7, expect.stringContaining('Drifted')]);
      waits = slipway.start([...order, '--key', 'words']);
      const { wait } = await releaseUntil(
        'shop/words',
        'to wait',
        (view) => view.wait?.sentence.includes(named) ?? false,
      );
      expect(wait).toMatchObject({ reason: 'admission', endedBy: 'a person who adopts or reverts it in the lane' });
      expect(await detailsOf('release/shop/words')).toContain(named);
      await run('the third instance to be healthy, and nothing else to run', { '/prod/shop/r1': 3 });
    });

    step('freeze an environment and pause a release: nothing moves before both are taken back', async () => {
      const { releaseUntil, slipway } = stage();
      const freeze = (
        await said(['freeze', '--environment', 'prod', '--service', SHOP, '--reason', 'the fair'])
      ).trim();
      expect(await said(['freezes'])).toContain('the fair');
      await said(['lane', 'revert', 'prod', SHOP, '--reason', 'two are enough']);
      const frozen = await releaseUntil('shop/words', 'to be frozen', ({ wait }) => wait?.reason === 'freeze');
      expect(frozen.wait?.sentence).toContain('shop in prod is frozen by ann: the fair');
      await run('nothing to have begun', { '/prod/shop/r1': 2 });
      expect(await detailsOf('release/shop/words')).toContain('shop in prod is frozen by ann: the fair');

      await said(['pause', 'shop/words', '--reason', 'lunch']);
      const twice = await slipway.run(['pause', 'shop/words', '--reason', 'lunch']);
      expect([twice.code, twice.stderr]).toEqual([7, expect.stringContaining('AlreadyPaused')]);
      await said(['unfreeze', freeze, '--reason', 'the fair is over']);
      const unfrozen = ['unfreeze', freeze, '--reason', 'the fair is over'];
      expect((await slipway.run(unfrozen)).stderr).toContain('UnknownFreeze');
      const paused = await releaseUntil('shop/words', 'to be paused', ({ wait }) => wait?.reason === 'paused');
      expect(paused.wait?.sentence).toContain('paused by ann: lunch');
      expect(await detailsOf('release/shop/words')).toContain('paused by ann: lunch');
      await run('nothing to have begun', { '/prod/shop/r1': 2 });
      await said(['resume', 'shop/words', '--reason', 'back again']);
    });

    step('end a bake before its time', async () => {
      const { look, releaseUntil, slipway } = stage();
      await releaseUntil('shop/words', 'to bake', ({ wait }) => wait?.reason === 'bake');
      await said(['skip-hold', 'shop/words', '--reason', 'seen enough']);
      expect((await waits.ended).code).toBe(0);
      const view = await look('shop/words');
      expect(view).toMatchObject({ outcome: 'released', version: '2.0.0' });
      expect(view.commands?.map(({ by, name }) => `${by} ${name}`)).toEqual([
        'ann pause',
        'ann resume',
        'ann skipHold',
      ]);
      const nothing = await slipway.run(['skip-hold', 'shop/words', '--reason', 'once more']);
      expect([nothing.code, nothing.stderr]).toEqual([7, expect.stringContaining('ReleaseOver')]);
      expect(await detailsOf('release/shop/words')).toContain('**shop 2.0.0**: released');
    });

    step('end a hold before its time: its canary is judged at once', async () => {
      const { commits, look, releaseUntil, slipway } = stage();
      const watch = slipway.start(['release', SHOP, '--ref', commits.shop.watched, '--key', 'held', '--watch']);
      await releaseUntil('shop/held', 'to watch its canary', ({ wait }) => wait?.reason === 'canary-figures');
      const program = slipway.start(['status', 'shop/held', '--watch', '-o', 'json']);
      await Promise.all([watch.said('watching 1 canary instance'), program.said('"reason":"canary-figures"')]);
      await said(['skip-hold', 'shop/held', '--step', 'hold-prod', '--reason', 'no need to wait']);
      const { code, stderr } = await watch.ended;
      expect([code, stderr]).toEqual([0, expect.any(String)]);
      expect((await program.ended).code).toBe(0);
      const { steps, verdicts } = await look('shop/held');
      expect(verdicts.at(-1)).toMatchObject({ result: 'pass' });
      expect(steps.find(({ id }) => id === 'hold-prod')?.detail).toContain('skipped by ann');
    });

    step('go back to any earlier bundle, long after', async () => {
      const { look, slipway, worldWhen } = stage();
      const earlier = await said(['lane', 'show', 'prod', SHOP]);
      expect(earlier).toContain(`can go back to: 2.0.0 (${warm}), 1.0.0 (${first})`);
      const order = ['rollback', 'shop/held', '--reason', 'the first was best', '--watch', '--to'];
      const unknown = await slipway.run([...order, 'b-0123456789abcdef']);
      expect([unknown.code, unknown.stdout]).toEqual([5, expect.stringContaining('UnknownBundle')]);
      const { code, stdout } = await slipway.run([...order, first]);
      expect([code, stdout]).toEqual([0, expect.stringContaining('rollback in prod: the first was best')]);
      const [, name = ''] = /^ {2}(shop\/\S+) /m.exec(stdout) ?? [];
      expect(await look(name)).toMatchObject({ outcome: 'rolled-back', version: '1.0.0' });
      await worldWhen(SHOP, 'the first to serve alone, with its configuration', ({ apps, keys }) => {
        const [[app = '', tasks = []] = [], ...others] = Object.entries(apps);
        expect([tasks.length, others]).toEqual([2, []]);
        expect(JSON.parse(keys['slipway/traffic/prod/shop'] ?? '')).toMatchObject({
          shares: { [app.replace(/^.*\//, '')]: 100 },
        });
        expect(keys['cfg/prod/shop/current']).toBe('1');
      });
      const { failed, failures, requests } = await clients.end();
      expect({ failed, failures }).toEqual({ failed: 0, failures: [] });
      expect(requests).toBeGreaterThan(0);
    });

    step('find all they said in an audit that holds', async () => {
      const audit = await stage().slipway.run(['audit', 'verify']);
      expect([audit.code, audit.stderr]).toEqual([0, expect.any(String)]);
    });
  });
}
