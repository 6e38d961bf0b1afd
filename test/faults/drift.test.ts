/** People change by hand what a lane has made, in Marathon, Consul and the balancer themselves. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BalancerRuntime } from '../../activities/balancer/runtime.ts';
import { ConsulClient } from '../../activities/consul/client.ts';
import { MarathonClient } from '../../activities/marathon/client.ts';
import { acceptedSchema, type Lane, laneSchema } from '../../domain/schemas/api.ts';
import { releaseSchema } from '../../domain/schemas/release.ts';
import { MAX_WEIGHT } from '../../domain/traffic.ts';
import { until } from '../../local/platform/until.ts';
import { apiOf } from './api.ts';
import { type FaultPlatform, SERVICE, startFaultPlatform } from './fault-platform.ts';
import { expectSettled } from './final-state.ts';

const PLATFORM_WITHIN_MS = 300_000;
const RELEASE_WITHIN_MS = 600_000;
/** Three times what is promised of a machine that is not busy. */
const SEEN_WITHIN_MS = 90_000;
const RESOLVED_WITHIN_MS = 180_000;
const TEST_WITHIN_MS = 600_000;

const APP = `/fat/${SERVICE}/r1`;
const POINTER = `cfg/fat/${SERVICE}/current`;

describe('what is changed by hand', () => {
  let fault: FaultPlatform;
  let consul: ConsulClient;
  let marathon: MarathonClient;

  beforeAll(async () => {
    fault = await startFaultPlatform();
    consul = new ConsulClient({ url: fault.platform.systems.consul.url });
    marathon = new MarathonClient({ url: fault.platform.urls.marathon });
    for (const version of [1, 2]) await consul.kvPut(`cfg/fat/${SERVICE}/v/${version}`, `{"version":${version}}`);
    const api = apiOf(fault.platform, 'ann');
    const { location } = await api.call('/v1/releases', acceptedSchema, {
      method: 'POST',
      key: crypto.randomUUID(),
      body: { service: SERVICE, ref: await fault.push('first'), until: 'fat', configVersion: 1 },
    });
    await until(
      'the release to go through',
      async () => expect(await api.call(location, releaseSchema)).toMatchObject({ outcome: 'released' }),
      { withinMs: RELEASE_WITHIN_MS, everyMs: 250 },
    );
  }, PLATFORM_WITHIN_MS + RELEASE_WITHIN_MS);

  afterAll(async () => {
    consul?.close();
    await fault?.stop();
  }, PLATFORM_WITHIN_MS);

  const lane = (): Promise<Lane> => apiOf(fault.platform, 'ann').call(`/v1/lanes/fat/${SERVICE}`, laneSchema);

  /** The changes that the lane names, once it names as many. */
  const seen = (...sentences: readonly string[]) =>
    until(
      `the lane to name ${sentences.join(' and ')}`,
      async () => {
        const { drift } = await lane();
        expect(drift?.differences.map(({ sentence }) => sentence)).toEqual(sentences);
      },
      { withinMs: SEEN_WITHIN_MS, everyMs: 250 },
    );

  async function resolved(verb: 'adopt' | 'revert'): Promise<Lane> {
    await apiOf(fault.platform, 'ann').call(`/v1/lanes/fat/${SERVICE}/${verb}`, acceptedSchema, {
      method: 'POST',
      key: crypto.randomUUID(),
      body: { reason: 'a test' },
    });
    return until(
      `what was changed to be ${verb}ed`,
      async () => {
        const found = await lane();
        expect(found).not.toHaveProperty('drift');
        return found;
      },
      { withinMs: RESOLVED_WITHIN_MS, everyMs: 250 },
    );
  }

  const pointer = async () => (await consul.kvGet(POINTER))?.value;
  const instances = async () => (await marathon.getApp(APP))?.instances;

  it(
    'is seen, named, and put back when somebody says so: instances, config pointer, a foreign app',
    async () => {
      await marathon.scaleApp(APP, 2);
      await consul.kvPut(POINTER, '2');
      const trial = { id: `/fat/${SERVICE}/trial`, cmd: 'exec sleep 1000', cpus: 0.1, mem: 16, instances: 1 };
      await marathon.createApp(trial);
      await seen(
        'r1 was scaled by hand: 2 instances, not 1',
        `${trial.id} runs with 1 instance and is of no release`,
        'the configuration was pointed to version 2 by hand; it should be version 1',
      );

      const { state } = await resolved('revert');
      expect(state).toMatchObject({ configVersion: 1, current: { revision: 'r1', instances: 1 } });
      expect([await instances(), await pointer()]).toEqual([1, '1']);
      await expectSettled(fault, { fat: { revision: 'r1', instances: 1 } });
    },
    TEST_WITHIN_MS,
  );

  it(
    'is seen in the balancer too, and put back',
    async () => {
      const { runtime } = fault.platform.systems.balancer;
      const balancer = new BalancerRuntime({ address: runtime });
      const backend = `fat.${SERVICE}`;
      const servers = async () => (await balancer.serversState()).filter((state) => state.backend === backend);
      const [server] = await servers();
      if (!server) throw new Error('the balancer has no server of the service');
      await balancer.setWeights([{ backend, server: server.name, weight: 10 }]);
      await seen(`weights were changed by hand in ${runtime}: ${server.name} has 10, not ${MAX_WEIGHT}`);

      await resolved('revert');
      expect((await servers()).map(({ weight }) => weight)).toEqual([MAX_WEIGHT]);
    },
    TEST_WITHIN_MS,
  );

  it(
    'is how it shall be once it is adopted',
    async () => {
      await marathon.scaleApp(APP, 2);
      await consul.kvPut(POINTER, '2');
      await seen(
        'r1 was scaled by hand: 2 instances, not 1',
        'the configuration was pointed to version 2 by hand; it should be version 1',
      );

      const { state } = await resolved('adopt');
      expect(state).toMatchObject({ configVersion: 2, current: { revision: 'r1', instances: 2 } });
      expect([await instances(), await pointer()]).toEqual([2, '2']);
      await expectSettled(fault, { fat: { revision: 'r1', instances: 2 } });
    },
    TEST_WITHIN_MS,
  );

  it(
    'gives way to a fresh revision when an app was edited and that is reverted',
    async () => {
      const response = await fetch(`${marathon.url}/v2/apps/${APP}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ mem: 80 }),
      });
      expect(response.status).toBe(200);
      await seen('r1 was edited by hand: mem');
      const { state } = await resolved('revert');
      expect(state).toMatchObject({ lastRevision: 2, weights: { r2: 100 }, current: { revision: 'r2', instances: 2 } });
      await expectSettled(fault, { fat: { revision: 'r2', instances: 2 } });
    },
    TEST_WITHIN_MS,
  );
});
