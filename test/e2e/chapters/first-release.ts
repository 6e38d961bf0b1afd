import { expect } from '@jest/globals';
import { z } from 'zod';
import { planSchema, releaseSchema } from '../../../domain/schemas/release.ts';
import { chapter } from '../chapter.ts';
import type { Running } from '../command.ts';
import { SAMPLE } from '../services.ts';
import type { Stage } from '../stage.ts';
import { storyOf } from '../temporal-story.ts';
import { visit } from '../visitor.ts';
import { healthyOf } from '../world.ts';

const RELEASE = `${SAMPLE}/first`;
const STEPS = [
  ...['build', 'deploy-fat', 'test-fat', 'deploy-uat', 'test-uat', 'promote', 'approve-prod'],
  ...['shift-prod', 'bake-prod', 'retire-prod'],
];

/** The first version of a service, from its commit to production. */
export function firstRelease(stage: () => Stage): void {
  chapter('the first version of a service', (step) => {
    let watch: Running;
    let digest: string;

    const order = () => ['release', SAMPLE, '--ref', stage().commits.sample.first, '--key', 'first'];
    const approve = (planDigest: string, env = {}) =>
      stage().slipway.run(['approve', RELEASE, '--plan-digest', planDigest], env);

    step('has a plan, to be read by people and by programs, before anything runs', async () => {
      const { slipway, commits, world } = stage();
      const asked = ['plan', SAMPLE, '--ref', commits.sample.first];
      const forPrograms = await slipway.run([...asked, '-o', 'json']);
      const { plan } = z.object({ v: z.literal(1), plan: planSchema }).parse(JSON.parse(forPrograms.stdout));
      expect(plan.steps.map(({ id }) => id)).toEqual(STEPS);
      digest = plan.digest;
      const { code, stdout, stderr } = await slipway.run(asked);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain('Plan of sample 1.0.0\n');
      expect(stdout).toMatch(/\n10 +retire-prod +stops nothing: prod has no old revision\n/);
      expect(stdout).toMatch(new RegExp(`\\nplan ${digest}\\n$`));
      expect(await world(SAMPLE)).toEqual(expect.objectContaining({ apps: {}, weights: {}, keys: {} }));
    });

    step('waits for approval with the plan that was shown', async () => {
      const { slipway } = stage();
      watch = slipway.start([...order(), '--watch']);
      // The same at the same time, as an impatient finger does it.
      const twin = await slipway.run(order());
      expect([twin.code, twin.stdout]).toEqual([0, `${RELEASE}\n`]);
      await watch.said('waiting for approval to go to prod');
      await watch.said(`plan ${digest}`);
      const { code, stdout } = await slipway.run(['status', RELEASE]);
      expect(code).toBe(0);
      expect(stdout).toContain('ended by an approval by one person other than ann');
      expect(stdout).toContain('approve: slipway approve sample/first');
      expect(stdout).toContain(`plan ${digest}`);
    });

    step('is one release, however often and by which door the same is asked for', async () => {
      const { api, commits, platform, slipway, temporal } = stage();
      const handle = temporal.workflow.getHandle(`release/${RELEASE}`);
      const { runId } = await handle.describe();
      const call = { token: platform.secrets.tokens['ann'] ?? '', key: 'first' };
      const body = { service: SAMPLE, ref: commits.sample.first };
      const [again, byApi, other] = await Promise.all([
        slipway.run(order()),
        api.call('POST', '/v1/releases', { ...call, body }),
        api.call('POST', '/v1/releases', { ...call, body: { ...body, until: 'fat' } }),
      ]);
      expect([again.code, again.stdout]).toEqual([0, `${RELEASE}\n`]);
      expect(byApi).toMatchObject({ status: 202, body: { id: `release/${RELEASE}` } });
      expect(other).toMatchObject({ status: 422, body: { code: 'IdempotencyKeyReused' } });
      expect((await handle.describe()).runId).toBe(runId);
      const { releases } = z
        .object({ releases: z.array(z.object({ id: z.string() })) })
        .parse((await api.call('GET', '/v1/releases?service=sample&outcome=running', call)).body);
      expect(releases).toEqual([expect.objectContaining({ id: `release/${RELEASE}` })]);
    });

    step('ends each command with the code that is documented', async () => {
      const { slipway } = stage();
      const { stdout } = await slipway.run(['exit-codes', '-o', 'json']);
      const { exitCodes } = z.object({ exitCodes: z.record(z.string(), z.string()) }).parse(JSON.parse(stdout));
      expect(Object.keys(exitCodes)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '130']);
      const gone = slipway.start(['status', RELEASE, '--watch']);
      await gone.said('waiting for approval');
      gone.interrupt();
      const [interrupted, ...others] = await Promise.all([
        gone.ended,
        slipway.run(['status', RELEASE, '--watch', '--timeout', '1']),
        slipway.run(['approve', RELEASE]),
        slipway.run(['release', 'nosuch', '--ref', 'main']),
        slipway.run(['lanes', '--api', 'http://127.0.0.1:1']),
      ]);
      expect([interrupted.code, interrupted.stderr]).toEqual([130, expect.stringContaining(`${RELEASE} goes on`)]);
      expect(others.map(({ code, stderr }) => [code, stderr])).toEqual([
        [3, expect.stringContaining(`${RELEASE} still runs after 1.0s`)],
        [2, expect.stringContaining('give --plan-digest')],
        [2, expect.stringContaining('the services are: sample, shop')],
        [1, expect.stringContaining("can't be reached")],
      ]);
      expect((await stage().look(RELEASE)).outcome).toBeUndefined();
    });

    step('refuses who asked for it, another plan, and nobody', async () => {
      const { bob } = stage();
      const own = await approve(digest);
      expect([own.code, own.stderr]).toEqual([4, expect.stringContaining('ann asked for this release')]);
      const other = await approve(`sha256:${'0'.repeat(64)}`, bob);
      expect([other.code, other.stderr]).toEqual([7, expect.stringContaining(`the plan that waits is ${digest}`)]);
      const nobody = await approve(digest, { SLIPWAY_TOKEN: 'not-a-token' });
      expect([nobody.code, nobody.stderr]).toEqual([4, expect.stringContaining('Unauthenticated')]);
      expect((await stage().look(RELEASE)).approvals).toEqual([]);
    });

    step('goes to production once somebody else approves', async () => {
      const { bob, look } = stage();
      const approval = await approve(digest, bob);
      expect([approval.code, approval.stdout]).toEqual([0, '']);
      const { code, stdout, stderr } = await watch.ended;
      expect(code).toBe(0);
      expect(stderr).toContain('approved by bob');
      expect(stdout).toContain('sample 1.0.0 · released');
      const view = await look(RELEASE);
      expect(view.steps.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual(STEPS.map((id) => `${id} done`));
      expect(view.plan?.digest).toBe(digest);
    });

    step('serves in every environment under its name, and nothing else does', async () => {
      const { platform, worldWhen } = stage();
      const { weights, names, keys } = await worldWhen(SAMPLE, 'all to be healthy', (seen) => {
        expect(healthyOf(seen)).toEqual([
          ['/fat/sample/r1', 1],
          ['/prod/sample/r1', 3],
          ['/uat/sample/r1', 1],
        ]);
      });
      const servers = Object.entries(weights);
      expect(servers).toHaveLength(5);
      for (const [server, weight] of servers) {
        expect(server).toMatch(/^(fat|uat|prod)\.sample r1\./);
        expect(weight).toBeGreaterThan(0);
      }
      for (const [environment, frontend] of Object.entries(platform.urls.frontends)) {
        const [place = '', ...others] = names[`sample-${environment}.service.consul`] ?? [];
        expect([place, others]).toEqual([new URL(frontend).host, []]);
        const { revision, ...answer } = await visit(environment, SAMPLE, place, '/version');
        expect(revision).toBe('r1');
        expect(answer).toMatchObject({ status: 200, body: { version: '1.0.0' } });
      }
      expect(JSON.parse(keys['slipway/traffic/prod/sample'] ?? '')).toMatchObject({ shares: { r1: 100 } });
      expect(JSON.parse(keys['slipway/scale/prod/sample'] ?? '')).toMatchObject({ min: 3, max: 6 });
    });

    step('is the same release still when it has ended, and says so', async () => {
      const { api, commits, platform, slipway } = stage();
      const again = await slipway.run(order());
      expect([again.code, again.stdout]).toEqual([0, `${RELEASE}\n`]);
      expect(again.stderr).toContain('sample/first has ended: released');
      const watched = await slipway.run([...order(), '--watch']);
      expect([watched.code, watched.stdout]).toEqual([0, expect.stringContaining('sample 1.0.0 · released')]);
      const call = { token: platform.secrets.tokens['ann'] ?? '', key: 'first' };
      const { status, body } = await api.call('POST', '/v1/releases', {
        ...call,
        body: { service: SAMPLE, ref: commits.sample.first },
      });
      expect([status, releaseSchema.parse(body).outcome]).toEqual([200, 'released']);
      const late = await approve(digest, stage().bob);
      expect([late.code, late.stderr]).toEqual([7, expect.stringContaining('ReleaseOver')]);
    });

    step('is told by the Temporal UI alone', async () => {
      const { temporal, commits, look } = stage();
      const release = await storyOf(temporal, `release/${RELEASE}`);
      expect(release).toMatchObject({
        type: 'release',
        status: 'COMPLETED',
        summary: `sample ${commits.sample.first}`,
        details: 'Asked for by ann.',
        attributes: {
          SlipwayService: 'sample',
          SlipwayEnvironment: 'prod',
          SlipwayStage: 'ended',
          SlipwayRevision: 'r1',
          SlipwayOutcome: 'released',
        },
        withoutSummary: [],
      });
      expect(release.historyEvents).toBeLessThan(400);
      expect(release.currentDetails).toContain('**sample 1.0.0**: released, asked for by ann');
      for (const id of STEPS) expect(release.currentDetails).toContain(`- ✓ ${id}: `);
      for (const told of [
        'waiting for the lane of sample in prod',
        '3 healthy instances of r1 in prod',
        'Tests contract against sample-fat.service.consul',
        'Tag the tested image v1.0.0',
        'waiting for approval to go to prod',
        'Traffic of prod: 100 % to r1',
        'Bind the name of sample in prod',
      ]) {
        expect(release.summaries).toContain(told);
      }

      const build = await storyOf(temporal, `build/${RELEASE}`);
      expect(build).toMatchObject({ status: 'COMPLETED', summary: expect.stringContaining('Build sample 1.0.0') });
      expect(build.withoutSummary).toEqual([]);

      const lane = await storyOf(temporal, 'lane/prod/sample');
      expect(lane).toMatchObject({
        status: 'RUNNING',
        attributes: { SlipwayService: 'sample', SlipwayEnvironment: 'prod' },
      });
      expect(lane.currentDetails).toContain('r1 (1.0.0) serves with 3 instances\n\nidle');
      expect((await look(RELEASE)).bundle?.version).toBe('1.0.0');
    });
  });
}
