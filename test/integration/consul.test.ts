import { Resolver } from 'node:dns/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ConsulActivities, createConsulActivities } from '../../activities/consul/activities.ts';
import { type ConsulClient, MAX_VALUE_BYTES } from '../../activities/consul/client.ts';
import { watch } from '../../activities/consul/watch.ts';
import { createDnsActivities, type DnsActivities } from '../../activities/dns/activities.ts';
import { until } from '../../local/platform/until.ts';
import { openTrafficRig, runActivity, type TrafficRig } from './traffic-rig.ts';

const WEB = { environment: 'prod', service: 'web' };
const CHECK = { intervalSeconds: 1, timeoutSeconds: 20, startsAs: 'passing', deregisterAfterSeconds: 600 } as const;

let rig: TrafficRig;
let client: ConsulClient;

beforeAll(async () => {
  rig = await openTrafficRig(['consul']);
  client = rig.client;
  await rig.consul.process.start();
}, 120_000);

afterAll(() => rig?.stop(), 60_000);

describe('the key-value store', () => {
  it('writes, reads, lists and removes', async () => {
    expect(await client.kvGet('t/none')).toBeUndefined();
    expect(await client.kvList('t/none')).toEqual([]);
    expect(await client.kvPut('t/a/1', 'ä "1"')).toBe(true);
    expect(await client.kvPut('t/a/2', '')).toBe(true);
    expect(await client.kvGet('t/a/1')).toMatchObject({ key: 't/a/1', value: 'ä "1"' });
    expect((await client.kvList('t/a/')).map(({ key, value }) => [key, value])).toEqual([
      ['t/a/1', 'ä "1"'],
      ['t/a/2', ''],
    ]);
    expect(await client.kvDelete('t/a/1')).toBe(true);
    expect(await client.kvDelete('t/a/1')).toBe(true);
    expect(await client.kvGet('t/a/1')).toBeUndefined();
  });

  it('has one winner of many that create, and of many that replace', async () => {
    const race = async (cas: number) =>
      (await Promise.all(Array.from({ length: 20 }, (_, n) => client.kvPut('t/race', `${cas}-${n}`, { cas })))).filter(
        Boolean,
      );
    expect(await race(0)).toHaveLength(1);
    const before = await client.kvGet('t/race');
    expect(await race(before?.modifyIndex ?? -1)).toHaveLength(1);
    expect(await client.kvDelete('t/race', { cas: before?.modifyIndex ?? -1 })).toBe(false);
    expect(await client.kvGet('t/race')).toBeDefined();
  });

  it('takes values up to our own limit', async () => {
    const value = 'x'.repeat(MAX_VALUE_BYTES);
    expect(await client.kvPut('t/large', value)).toBe(true);
    expect((await client.kvGet('t/large'))?.value).toHaveLength(MAX_VALUE_BYTES);
  });

  it('makes all of a transaction or nothing, and names the operation that did not hold', async () => {
    await client.kvPut('t/txn', 'old');
    const lost = await client.transaction([
      { verb: 'set', key: 't/other', value: 'x' },
      { verb: 'cas', key: 't/txn', value: 'new', index: 1 },
    ]);
    expect(lost).toMatchObject({ made: false, conflicts: [{ operation: 1 }] });
    expect(await client.kvGet('t/other')).toBeUndefined();
    const index = (await client.kvGet('t/txn'))?.modifyIndex ?? 0;
    const operations = Array.from({ length: 62 }, (_, n) => ({ verb: 'set', key: `t/many/${n}`, value: 'x' }) as const);
    expect(
      await client.transaction([
        { verb: 'check-not-exists', key: 't/other' },
        { verb: 'cas', key: 't/txn', value: 'new', index },
        ...operations,
      ]),
    ).toEqual({ made: true });
    expect(await client.kvGet('t/txn')).toMatchObject({ value: 'new' });
    expect(await client.kvList('t/many/')).toHaveLength(62);
  });
});

describe('services', () => {
  const checked = createServer((_, response) => response.end());
  beforeAll(() => new Promise<void>((listening) => checked.listen(0, '127.0.0.1', listening)));
  afterAll(() => void checked.close());

  it('are registered with weights, replaced whole, and removed', async () => {
    const service = { id: 'svc:1', name: 'svc', tags: ['a'], meta: { k: 'v' }, address: '127.0.0.1', port: 9 };
    const url = `http://127.0.0.1:${(checked.address() as AddressInfo).port}/x`;
    await client.registerService({ ...service, weight: 7, check: { ...CHECK, url } });
    expect(await client.agentServices()).toContainEqual(service);
    // The agent tells the catalogue of it a moment later.
    await until(
      'the service to be in the catalogue',
      async () => expect(await client.serviceHealth('svc', 'a')).toEqual([{ ...service, status: 'passing' }]),
      { withinMs: 30_000 },
    );
    const { text } = await client.block('/v1/health/service/svc', { index: 0, waitSeconds: 1 });
    expect(JSON.parse(text)).toMatchObject([{ Service: { Weights: { Passing: 7, Warning: 7 } } }]);
    expect(await client.serviceHealth('svc', 'b')).toEqual([]);
    // Nobody listens there any more: the agent's own check finds out.
    checked.close();
    checked.closeAllConnections();
    await until(
      'the check',
      async () => expect(await client.serviceHealth('svc')).toMatchObject([{ status: 'critical' }]),
      { withinMs: 30_000 },
    );

    await client.registerService({ ...service, port: 10 });
    await until(
      'the service without its check',
      async () => expect(await client.serviceHealth('svc')).toEqual([{ ...service, port: 10, status: 'passing' }]),
      { withinMs: 30_000 },
    );
    await client.deregisterService('svc:1');
    await client.deregisterService('svc:1');
    expect(await client.agentServices()).toEqual([]);
  }, 120_000);
});

describe('a watch', () => {
  it('tells every state that lasts, and breaks at once when the agent does', async () => {
    const stop = new AbortController();
    const seen = watch(client, '/v1/kv/w/key', { signal: stop.signal });
    expect((await seen.next()).value).toBe('');
    for (const value of ['one', 'two']) {
      const next = seen.next();
      await client.kvPut('w/key', value);
      expect(Buffer.from(JSON.parse((await next).value || '[{}]')[0].Value, 'base64').toString()).toBe(value);
    }
    const broken = seen.next();
    broken.catch(() => {});
    await rig.consul.process.kill9();
    await expect(broken).rejects.toMatchObject({ type: 'SystemUnavailable' });
    await expect(client.kvGet('w/key')).rejects.toMatchObject({ type: 'SystemUnavailable' });
    await rig.consul.process.start();
    expect(await client.kvGet('w/key')).toMatchObject({ value: 'two' });
  }, 120_000);
});

describe('versions of configuration', () => {
  let activities: ConsulActivities;

  beforeAll(() => {
    activities = createConsulActivities({ url: rig.consul.url });
  });

  it('are made once and never changed', async () => {
    expect(await activities.readConfig(WEB)).toBeUndefined();
    expect(await activities.publishConfig({ ...WEB, version: 1, value: 'a: 1' })).toEqual({ version: 1 });
    expect(await activities.publishConfig({ ...WEB, version: 1, value: 'a: 1' })).toEqual({ version: 1 });
    await expect(activities.publishConfig({ ...WEB, version: 1, value: 'a: 2' })).rejects.toMatchObject({
      type: 'SystemRefused',
      nonRetryable: true,
    });
    await expect(activities.publishConfig({ ...WEB, version: 0, value: 'a' })).rejects.toMatchObject({
      type: 'RequestInvalid',
    });
    expect(await activities.readConfig({ ...WEB, version: 1 })).toEqual({ version: 1, value: 'a: 1' });
    expect(await activities.readConfig({ ...WEB, version: 2 })).toBeUndefined();
  });

  it('have one winner of many that publish the same number', async () => {
    const published = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => activities.publishConfig({ ...WEB, version: 2, value: `a: ${n}` })),
    );
    expect(published.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('are compared by the names of their keys, also with none', async () => {
    const shop = { environment: 'prod', service: 'shop' };
    await activities.publishConfig({ ...shop, version: 1, value: 'a: 1\nb: 2' });
    await activities.publishConfig({ ...shop, version: 2, value: 'b: 3\nc: 4' });
    const differs = (from: number, to: number) => activities.compareConfig({ ...shop, from, to });
    expect(await differs(1, 2)).toEqual({ from: 1, to: 2, added: ['c'], removed: ['a'], changed: ['b'] });
    expect(await differs(0, 1)).toEqual({ from: 0, to: 1, added: ['a', 'b'], removed: [], changed: [] });
    expect(await differs(2, 0)).toEqual({ from: 2, to: 0, added: [], removed: ['b', 'c'], changed: [] });
    await expect(differs(1, 3)).rejects.toMatchObject({ type: 'ConfigMissing' });
  });

  it('become current by a pointer that notices others', async () => {
    await expect(runActivity(activities.pointConfig, { ...WEB, version: 9 })).rejects.toMatchObject({
      type: 'SystemRefused',
    });
    expect(await runActivity(activities.pointConfig, { ...WEB, version: 1 })).toEqual({ version: 1, previous: 0 });
    expect(await runActivity(activities.pointConfig, { ...WEB, version: 1 })).toEqual({ version: 1, previous: 1 });
    expect(await activities.readConfig(WEB)).toMatchObject({ version: 1, value: 'a: 1' });
    await expect(runActivity(activities.pointConfig, { ...WEB, version: 2, expected: 0 })).rejects.toMatchObject({
      type: 'Drifted',
    });
    expect(await runActivity(activities.pointConfig, { ...WEB, version: 2, expected: 1 })).toEqual({
      version: 2,
      previous: 1,
    });
    expect(await runActivity(activities.pointConfig, { ...WEB, version: 0 })).toEqual({ version: 0, previous: 2 });
    expect(await activities.readConfig(WEB)).toBeUndefined();
  });

  it('sit beside scale bounds', async () => {
    const bounds = { min: 2, max: 8, requestsPerSecondPerInstance: 20, downAfterSeconds: 60 };
    expect(await activities.readAllScaleBounds()).toEqual([]);
    await runActivity(activities.writeScaleBounds, { ...WEB, bounds });
    await runActivity(activities.writeScaleBounds, { ...WEB, bounds });
    await runActivity(activities.writeScaleBounds, {
      environment: 'fat',
      service: 'web',
      bounds: { ...bounds, max: 3 },
    });
    expect(await activities.readAllScaleBounds()).toEqual([
      { environment: 'fat', service: 'web', bounds: { ...bounds, max: 3 } },
      { ...WEB, bounds },
    ]);
    await expect(
      runActivity(activities.writeScaleBounds, { ...WEB, bounds: { ...bounds, min: 9 } }),
    ).rejects.toMatchObject({
      type: 'RequestInvalid',
    });
    const expected = { ...bounds, max: 99 };
    await expect(runActivity(activities.writeScaleBounds, { ...WEB, bounds: null, expected })).rejects.toMatchObject({
      type: 'Drifted',
    });
    await runActivity(activities.writeScaleBounds, { ...WEB, bounds: { ...bounds, max: 9 }, expected: bounds });
    await runActivity(activities.writeScaleBounds, { ...WEB, bounds: { ...bounds, max: 9 }, expected: bounds });
    await runActivity(activities.writeScaleBounds, { ...WEB, bounds: null, expected: { ...bounds, max: 9 } });
    await runActivity(activities.writeScaleBounds, { ...WEB, bounds: null, expected: bounds });
    await runActivity(activities.writeScaleBounds, { environment: 'fat', service: 'web', bounds: null });
    expect(await activities.readAllScaleBounds()).toEqual([]);
    await client.kvPut('slipway/scale/prod/web', '{"min":1}');
    await expect(activities.readAllScaleBounds()).rejects.toMatchObject({ type: 'UnexpectedAnswer' });
  });
});

describe('names', () => {
  let activities: DnsActivities;
  const resolver = new Resolver({ timeout: 10_000, tries: 2 });

  beforeAll(() => {
    activities = createDnsActivities({ consul: { url: rig.consul.url }, dns: rig.consul.dns });
    resolver.setServers([rig.consul.dns]);
  });

  it('lead to the balancer, move with it, and go', async () => {
    const name = 'web-prod.service.consul';
    expect(await runActivity(activities.bindName, { ...WEB, address: '127.0.0.1', port: 8003 })).toEqual({ name });
    expect(await resolver.resolve4(name)).toEqual(['127.0.0.1']);
    expect(await resolver.resolveSrv(name)).toMatchObject([{ port: 8003 }]);
    await runActivity(activities.bindName, { ...WEB, address: '127.0.0.1', port: 8003 });
    await runActivity(activities.bindName, { ...WEB, address: '127.0.0.2', port: 8004 });
    expect(await resolver.resolve4(name)).toEqual(['127.0.0.2']);
    expect(await resolver.resolveSrv(name)).toMatchObject([{ port: 8004 }]);
    await runActivity(activities.unbindName, WEB);
    await expect(resolver.resolve4(name)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await runActivity(activities.unbindName, WEB);
  }, 120_000);

  it('need an address that DNS can answer with', async () => {
    const bound = runActivity(activities.bindName, { ...WEB, address: 'balancer.internal', port: 8003 });
    await expect(bound).rejects.toMatchObject({ type: 'RequestInvalid', nonRetryable: true });
  });
});
