import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { until } from '../../../local/platform/until.ts';
import type { Ended } from '../command.ts';
import type { Stage } from '../stage.ts';

const SETTLED_WITHIN_MS = 90_000;
const MASK = '********';

/** Before anything is released: is everything there, and what is it told. */
export function ground(stage: () => Stage): void {
  describe('a platform that nothing was released on yet', () => {
    /** Asks the doctor until just these are wrong: a system that a busy machine stalls for ten seconds is wrong too. */
    const doctorFinds = (wrong: readonly RegExp[]): Promise<Ended> =>
      until(
        'the doctor to name just what is wrong',
        async () => {
          const report = await stage().slipway.run(['doctor']);
          const named = report.stdout.match(/^✗.*$/gm) ?? [];
          expect(named).toEqual(wrong.map((line) => expect.stringMatching(line)));
          return report;
        },
        { withinMs: SETTLED_WITHIN_MS, everyMs: 250 },
      );

    it('is found whole by the doctor', async () => {
      const { stdout, stderr } = await doctorFinds([]);
      expect(stderr).toBe('');
      for (const system of [
        'Temporal',
        'Consul',
        'Consul DNS',
        'Registry',
        'InfluxDB',
        'Mesos master',
        'Mesos agents',
      ]) {
        expect(stdout).toMatch(new RegExp(`^✓ ok +${system} `, 'm'));
      }
      for (const system of [
        'Marathon of fat, uat, prod',
        'Balancer main',
        'Repository of sample',
        'Repository of shop',
      ]) {
        expect(stdout).toMatch(new RegExp(`^✓ ok +${system} `, 'm'));
      }
      expect(stdout).not.toContain('✗');
      expect(stdout).toMatch(/\n(\d+) of \1 answer as they should\n$/);
    });

    it('with one system stopped: the doctor names it, and what to do', async () => {
      const { platform } = stage();
      const { influx } = platform.systems;
      await influx.process.stop();
      const { code, stdout } = await doctorFinds([/^✗ wrong +InfluxDB +http/]).finally(() => influx.process.start());
      expect(code).toBe(1);
      expect(stdout).toContain(`InfluxDB at ${influx.url}: connect ECONNREFUSED`);
      expect(stdout).toContain('\n  start it, or correct influx.url\n');
      expect((await doctorFinds([])).code).toBe(0);
    });

    it('shows its configuration without a single secret', async () => {
      const { platform, slipway } = stage();
      const { code, stdout, stderr } = await slipway.run(['config']);
      expect([code, stderr]).toEqual([0, '']);
      const { tokens, ...others } = platform.secrets;
      for (const secret of [...Object.values(tokens), ...Object.values(others)]) expect(stdout).not.toContain(secret);
      expect(z.object({ api: z.unknown(), chat: z.unknown(), gitlab: z.unknown() }).parse(parse(stdout))).toMatchObject(
        {
          api: {
            tokens: [
              { name: 'ann', token: MASK },
              { name: 'bob', token: MASK },
              { name: 'cleo', token: MASK },
            ],
          },
          gitlab: { token: MASK },
          chat: { inbound: { secret: MASK }, outbound: [{ secret: MASK }] },
        },
      );
    });

    it('says which configuration it misses', async () => {
      const missing = ['--config', '/nowhere/slipway.config.yaml'];
      for (const command of ['doctor', 'config']) {
        const { code, stdout, stderr } = await stage().slipway.run([command, ...missing]);
        expect([code, stdout]).toEqual([1, '']);
        expect(stderr).toMatch(/^\/nowhere\/slipway\.config\.yaml .*can't be read/s);
      }
    });

    it('has its schedules, one run of each at a time', async () => {
      const { temporal } = stage();
      for (const [id, everySeconds] of [
        ['autoscale', 5],
        ['collect-garbage', 365 * 86_400],
      ] as const) {
        const { policies, spec, state, action } = await temporal.schedule.getHandle(id).describe();
        expect(policies.overlap).toBe('SKIP');
        expect(spec.intervals?.map(({ every }) => every)).toEqual([everySeconds * 1000]);
        expect(state.paused).toBe(false);
        expect(action).toMatchObject({ workflowId: id });
      }
    });

    it('says that nothing runs, and shows every door in its OpenAPI document', async () => {
      const { api, platform, slipway } = stage();
      const list = await slipway.run(['list']);
      expect([list.code, list.stdout, list.stderr]).toEqual([0, '', 'No releases.\n']);
      const token = platform.secrets.tokens['ann'] ?? '';
      expect(await api.call('GET', '/v1/releases', { token })).toEqual({
        status: 200,
        body: { releases: [], more: false },
      });
      // It gives Temporal three seconds for an answer.
      await until(
        'Temporal to have answered in time',
        async () => expect(await api.call('GET', '/readyz')).toEqual({ status: 200, body: { status: 'ok' } }),
        { withinMs: SETTLED_WITHIN_MS, everyMs: 250 },
      );
      expect((await api.call('GET', '/v1/lanes')).status).toBe(401);
      expect((await api.call('GET', '/v1/releases/sample/none', { token })).status).toBe(404);
      const lanes = await api.call('GET', '/v1/lanes?service=sample', { token });
      expect(lanes).toMatchObject({ status: 200, body: { lanes: [{ queue: [] }, { queue: [] }, { queue: [] }] } });
    });
  });
}
