/** A revision that served well turns ill while its release bakes. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsulClient } from '../../activities/consul/client.ts';
import { vetoListSchema } from '../../domain/schemas/veto.ts';
import type { Change } from '../../local/sample/versions.ts';
import { apiOf } from './api.ts';
import { startRelease } from './driven-release.ts';
import { type FaultPlatform, SERVICE, startFaultPlatform } from './fault-platform.ts';
import { expectSettled } from './final-state.ts';

const PLATFORM_WITHIN_MS = 300_000;
const TEST_WITHIN_MS = 900_000;
/** As the service's manifest has it. */
const START_SECONDS = 20;
/** What replacing an instance may take. */
const GRACE_SECONDS = START_SECONDS + 30;

/** The service takes itself for unfit while what it needs says so of its revision. */
const NEEDS: readonly Change[] = [
  {
    find: '  let leaving = false;',
    put: [
      '  let leaving = false;',
      '  let fit = true;',
      '  const look = async () => {',
      "    fit = await fetch(process.env.NEEDS + '/' + revision).then(({ ok }) => ok, () => false);",
      '  };',
      '  if (process.env.NEEDS) setInterval(look, 200).unref();',
    ].join('\n'),
  },
  {
    find: "return { status: 200, body: { status: 'ok' } };",
    put: 'return { status: fit ? 200 : 503, body: { fit } };',
  },
];

describe('a revision that turns ill in the bake', () => {
  let fault: FaultPlatform;
  let consul: ConsulClient;
  let needed: Server;
  let unfit = '';

  beforeAll(async () => {
    needed = createServer(({ url }, response) => response.writeHead(url === `/${unfit}` ? 503 : 200).end());
    await new Promise<void>((listening) => needed.listen(0, '127.0.0.1', listening));
    fault = await startFaultPlatform();
    consul = new ConsulClient({ url: fault.platform.systems.consul.url });
  }, PLATFORM_WITHIN_MS);

  afterAll(async () => {
    consul?.close();
    await fault?.stop();
    needed?.close();
  }, PLATFORM_WITHIN_MS);

  it(
    'is gone back from, by itself, and vetoed',
    async () => {
      const { port } = needed.address() as AddressInfo;
      const ref = await fault.push('first', {
        'src/server.js': NEEDS,
        'slipway.yaml': [
          { find: '    instances: 3', put: `    instances: 3\n    env: { NEEDS: 'http://127.0.0.1:${port}' }` },
          { find: 'release:\n', put: 'release:\n  strategy: blue-green\n' },
          { find: 'bake: 2s', put: 'bake: 10m' },
        ],
      });
      const first = await startRelease(fault, { ref });
      await first.reaches('approve-prod');
      await first.approve();
      await first.reaches('bake-prod');
      await first.skipHold();
      const { bundle } = await first.ended();
      if (!bundle) throw new Error('the first release has built nothing');

      // The same once more, with a configuration: nothing needs to be built.
      await consul.kvPut(`cfg/prod/${SERVICE}/v/1`, '{"version":1}');
      await consul.kvPut(`cfg/fat/${SERVICE}/v/1`, '{"version":1}');
      const second = await startRelease(fault, { bundle, configVersion: 1 });
      await second.reaches('approve-prod');
      await second.approve();
      await second.reaches('bake-prod');
      const illAt = Date.now();
      unfit = 'r2';
      const { bundle: vetoed, failure, outcome, rollbacks } = await second.ended();

      expect(outcome).toBe('rolled-back');
      expect(failure).toMatchObject({ type: 'InstancesUnhealthy', step: 'bake-prod' });
      expect(failure?.message).toMatch(
        /^r2 in prod has [012] of 3 instances healthy, and too few since .*last failure: /,
      );
      const after = (Date.parse(rollbacks[0]?.decidedAt ?? '') - illAt) / 1000;
      expect(after).toBeGreaterThanOrEqual(GRACE_SECONDS);
      const { vetoes } = await apiOf(fault.platform, 'ann').call(`/v1/vetoes?service=${SERVICE}`, vetoListSchema);
      expect(vetoes).toMatchObject([{ environment: 'prod', veto: { bundle: vetoed?.id } }]);
      await expectSettled(fault, { fat: { revision: 'r2', instances: 1 }, prod: { revision: 'r1', instances: 3 } });
    },
    TEST_WITHIN_MS,
  );
});
