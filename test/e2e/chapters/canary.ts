import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { z } from 'zod';
import { releaseSchema } from '../../../domain/schemas/release.ts';
import type { Load } from '../../../local/demo/load.ts';
import { until } from '../../../local/platform/until.ts';
import { chapter } from '../chapter.ts';
import { SAMPLE } from '../services.ts';
import type { Stage } from '../stage.ts';
import { visit } from '../visitor.ts';
import { healthyOf } from '../world.ts';

const SETTLED_WITHIN_MS = 90_000;

/** A second version by a push, a canary and batches; then back to the first after the end. */
export function canaryAndBack(stage: () => Stage): void {
  chapter('the second version of a service, while clients come', (step) => {
    let clients: Load;
    let release: string;

    beforeAll(async () => {
      clients = await stage().clientsOf(SAMPLE, 40);
    });
    afterAll(() => clients?.end());

    const expectUnharmed = async (): Promise<void> => {
      const { requests, failed, failures, byRevision } = await clients.report();
      const own500 = Object.values(byRevision).reduce((sum, revision) => sum + revision.own500, 0);
      expect({ failed, failures, own500 }).toEqual({ failed: 0, failures: [], own500: 0 });
      expect(requests).toBeGreaterThan(0);
    };

    step('goes to production by canary: approved in chat, told to a log and to a program', async () => {
      const { chat, commits, look, notices, pushes, releaseUntil, slipway } = stage();
      const { service, key } = await pushes.pushed(commits.sample.good);
      release = `${service}/${key}`;
      const log = slipway.start(['status', release, '--watch']);
      const program = slipway.start(['status', release, '--watch', '-o', 'json']);
      const { plan } = await releaseUntil(release, 'to wait for approval', ({ wait }) => wait?.reason === 'approval');
      await Promise.all([log.said('waiting for approval to go to prod'), program.said('"reason":"approval"')]);
      const served = (instances: number) => ({ revision: 'r1', instances, configVersion: 0 });
      expect(plan?.from).toEqual({ fat: served(1), uat: served(1), prod: served(3) });

      const command = `approve ${release} ${plan?.digest}`;
      expect(await chat.forge('bob', command)).toMatchObject({ status: 401 });
      expect((await look(release)).approvals).toEqual([]);
      expect(await chat.say('bob', command)).toMatchObject({ status: 200, ok: true, text: `bob approved ${release}.` });

      const [told, read] = await Promise.all([log.ended, program.ended]);
      expect([told.code, read.code]).toEqual([0, 0]);
      const lines = told.stderr.trimEnd().split('\n');
      // Two looks at a canary within a second may find the same figures. A machine that stalls may lose sight twice.
      const changes = lines.filter((line) => !/^(watching|lost sight)/.test(line));
      expect(changes.filter((line, index) => changes.indexOf(line) < index)).toEqual([]);
      for (const { id } of plan?.steps ?? []) {
        expect(lines.filter((line) => line.startsWith(`✓ ${id} `))).toHaveLength(1);
      }
      expect(lines.at(-1)).toBe(`${release}: released`);
      expect(`${told.stdout}${told.stderr}`).not.toContain('\u001b');

      const events = z.array(z.object({ v: z.literal(1), event: z.string(), release: releaseSchema })).parse(
        read.stdout
          .trimEnd()
          .split('\n')
          .map((line): unknown => JSON.parse(line)),
      );
      expect(events.at(-1)).toMatchObject({ event: 'result', release: { outcome: 'released' } });
      const states = events.slice(0, -1).map(({ release: state }) => state);
      // After it has lost sight of the release it says again how it is.
      const lost = read.stderr.split('\n').filter((line) => line.includes('"event":"lost"'));
      const again = states.filter((state, index) => isDeepStrictEqual(state, states[index - 1]));
      expect(again.slice(lost.length)).toEqual([]);
      // Steps that are over within a look are told together, so how many states there are is no certainty.
      const done = states.map(({ steps }) => steps.filter(({ outcome }) => outcome === 'done').length);
      expect(done).toEqual(done.toSorted((one, other) => one - other));

      await until(
        'the room to hear of the end',
        () => {
          const heard = notices.filter((notice) => notice.release === `release/${release}`);
          expect(heard.map(({ kind }) => kind)).toEqual(['approval', 'ended']);
        },
        { withinMs: SETTLED_WITHIN_MS },
      );
    });

    step('has taken over whole, was judged by its figures, and cost no request', async () => {
      const { look, worldWhen } = stage();
      const { verdicts } = await look(release);
      expect(verdicts.at(-1)).toMatchObject({ result: 'pass', canary: { errors: 0 } });
      // The balancer forgets servers that have ended with its next render.
      const { names, keys } = await worldWhen(
        SAMPLE,
        'the revision before to be forgotten, and all others to be healthy',
        (seen) => {
          for (const server of Object.keys(seen.weights)) expect(server).toMatch(/^(fat|uat|prod)\.sample r2\./);
          expect(healthyOf(seen)).toEqual([
            ['/fat/sample/r2', 1],
            ['/prod/sample/r2', 3],
            ['/uat/sample/r2', 1],
          ]);
        },
      );
      expect(JSON.parse(keys['slipway/traffic/prod/sample'] ?? '')).toMatchObject({ shares: { r2: 100 } });
      const [place = ''] = names['sample-prod.service.consul'] ?? [];
      expect(await visit('prod', SAMPLE, place, '/version')).toMatchObject({
        revision: 'r2',
        body: { version: '2.0.0' },
      });
      await expectUnharmed();
      const { byRevision } = await clients.report();
      expect(Object.keys(byRevision).sort()).toEqual(['r1', 'r1-baseline', 'r2']);
    });

    step('goes back after its end: the bundle before serves again, as a new revision', async () => {
      const { look, slipway, worldWhen } = stage();
      const back = await slipway.run(['rollback', release, '--reason', 'prices look wrong', '--watch']);
      expect(back.code).toBe(0);
      expect(back.stdout).toContain('rollback in prod: prices look wrong; traffic back after');
      const [, name = ''] = /^ {2}(sample\/\S+) /m.exec(back.stdout) ?? [];
      expect(name).not.toBe(release);
      const view = await look(name);
      expect(view).toMatchObject({ outcome: 'rolled-back', requestedBy: 'ann', version: '1.0.0' });
      expect(view.steps).toMatchObject([{ id: 'rollback-prod', outcome: 'done' }]);

      const { names, keys } = await worldWhen(SAMPLE, 'all to be healthy', (seen) => {
        expect(healthyOf(seen)).toEqual([
          ['/fat/sample/r2', 1],
          ['/prod/sample/r3', 3],
          ['/uat/sample/r2', 1],
        ]);
      });
      expect(JSON.parse(keys['slipway/traffic/prod/sample'] ?? '')).toMatchObject({ shares: { r3: 100 } });
      const [place = ''] = names['sample-prod.service.consul'] ?? [];
      expect(await visit('prod', SAMPLE, place, '/version')).toMatchObject({
        revision: 'r3',
        body: { version: '1.0.0' },
      });
      const { stdout } = await slipway.run(['lanes', SAMPLE, '--environment', 'prod']);
      expect(stdout).toMatch(/\nsample +prod +r3 +1\.0\.0 +3\n$/);
      await expectUnharmed();
    });

    step('can not go back again: nothing of that release serves any more', async () => {
      const { slipway } = stage();
      const again = await slipway.run(['rollback', release, '--reason', 'once more', '--watch']);
      expect([again.code, again.stdout]).toEqual([7, expect.stringContaining('PlanOutdated')]);
      expect(again.stdout).toContain('prod serves 1.0.0 by now, which is not of this release');
      await expectUnharmed();
    });
  });
}
