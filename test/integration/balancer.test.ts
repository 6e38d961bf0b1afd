import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { type BalancerActivities, createBalancerActivities } from '../../activities/balancer/activities.ts';
import { BalancerRuntime } from '../../activities/balancer/runtime.ts';
import { frontendAnswers } from '../../local/platform/balancer.ts';
import { until } from '../../local/platform/until.ts';
import { Instance, Load, openTrafficRig, runActivity, send, type TrafficRig } from './traffic-rig.ts';

const WEB = { environment: 'prod', service: 'web' };
const TRAFFIC = { ...WEB, healthPath: '/healthz', deadlineSeconds: 45 };

describe('the balancer', () => {
  let rig: TrafficRig;
  let activities: BalancerActivities;
  let runtime: BalancerRuntime;
  const instances: Instance[] = [];
  const loads: Load[] = [];

  const startLoad = (): Load => {
    const load = new Load(rig.frontendPort, { kept: 3, fresh: 2 });
    loads.push(load);
    return load;
  };

  const instance = async (revision: string, registered = true): Promise<Instance> => {
    const one = await new Instance(revision, `web_${revision}.i-${instances.length}`).start();
    instances.push(one);
    if (registered) await one.register(rig.client);
    return one;
  };

  const setTraffic = (shares: Record<string, number>, servers: Record<string, number>, deadlineSeconds = 45) =>
    runActivity(activities.setTraffic, { ...TRAFFIC, shares, servers, deadlineSeconds });

  const weights = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      (await runtime.serversState())
        .filter(({ backend }) => backend === 'prod.web')
        .map(({ name, weight }) => [name.slice(0, 2), weight]),
    );

  const serversIn = async (): Promise<string[]> =>
    (await runtime.serversState()).filter(({ backend }) => backend === 'prod.web').map(({ name }) => name);

  /** Takes an instance out, and waits until the balancer has been reloaded without it. */
  const remove = async ({ revision, task }: Instance): Promise<void> => {
    await rig.client.deregisterService(`web:prod:${task}`);
    await until(`${task} to be gone`, async () => expect(await serversIn()).not.toContain(`${revision}.${task}`), {
      withinMs: 45_000,
    });
  };

  const failureOf = async (promise: Promise<unknown>): Promise<ApplicationFailure> => {
    const error = await promise.then(
      () => new Error('it did not fail'),
      (reason: unknown) => reason,
    );
    if (!(error instanceof ApplicationFailure)) throw error;
    return error;
  };

  beforeAll(async () => {
    rig = await openTrafficRig(['consul', 'haproxy', 'consul-template']);
    await Promise.all([rig.consul.process.start(), rig.balancer.haproxy.start()]);
    await rig.balancer.consulTemplate.start();
    await rig.client.kvPut('slipway/balancer/prod', `127.0.0.1:${rig.frontendPort}`);
    await until('the frontend to answer', () => frontendAnswers(rig.frontendPort), { withinMs: 45_000 });
    activities = createBalancerActivities({
      consul: { url: rig.consul.url },
      environments: { prod: [rig.balancer.runtime] },
    });
    runtime = new BalancerRuntime({ address: rig.balancer.runtime });
  }, 180_000);

  afterEach(async () => {
    for (const load of loads.splice(0)) await load.stop();
  });

  afterAll(async () => {
    for (const one of instances) await one.die().catch(() => {});
    await rig?.stop();
  }, 120_000);

  it('says what is missing before a first instance is there, and moves nothing', async () => {
    const failure = await failureOf(setTraffic({ r1: 100 }, { r1: 2 }, 1));
    expect(failure.type).toBe('DeadlineExceeded');
    expect(failure.message).toContain(`${rig.balancer.runtime} has 0 of 2 servers of r1 up`);
    expect(await runActivity(activities.observeTraffic, WEB)).toEqual({
      ...WEB,
      shares: {},
      weights: {},
      achieved: {},
      servers: [],
    });
  }, 120_000);

  it('gives the first revision all traffic once its instances are up, and tells clients which answered', async () => {
    await instance('r1');
    await instance('r1');
    const state = await setTraffic({ r1: 100 }, { r1: 2 });
    expect(state).toMatchObject({ ...WEB, shares: { r1: 100 }, weights: { r1: 256 }, achieved: { r1: 100 } });
    expect(state.servers.map(({ status }) => status)).toEqual(['up', 'up']);
    expect(await send(rig.frontendPort, {})).toMatchObject({ status: 200, revision: 'r1' });
    expect(await send(rig.frontendPort, { host: 'WEB-prod:80' })).toMatchObject({ status: 200 });
    expect(await send(rig.frontendPort, { host: 'web-fat.service.consul' })).toMatchObject({ status: 404 });
  }, 120_000);

  it('gives an instance no request before its revision has a share, and then exactly its share', async () => {
    const canary = await instance('r2');
    await until('the canary to be in the balancer', async () => expect(await serversIn()).toHaveLength(3), {
      withinMs: 45_000,
    });
    for (let count = 0; count < 50; count += 1) await send(rig.frontendPort, {});
    expect(canary.requests).toBe(0);

    const { achieved } = await setTraffic({ r1: 90, r2: 10 }, { r1: 2, r2: 1 });
    expect(achieved).toEqual({ r1: 90, r2: 10 });
    // Weighted round robin is exact to a turn; the other requests to the balancer are of this test alone. Where a busy
    // machine let a health check wait too long, turns begin anew.
    await until(
      'a tenth of 400 requests to reach the canary',
      async () => {
        const before = canary.requests;
        for (let count = 0; count < 400; count += 1) await send(rig.frontendPort, {});
        expect(Math.abs(canary.requests - before - 40)).toBeLessThanOrEqual(1);
      },
      { withinMs: 60_000 },
    );
    await until(
      'all instances to be up, with their shares',
      async () => {
        const seen = await runActivity(activities.observeTraffic, WEB);
        expect(seen).toMatchObject({ shares: { r1: 90, r2: 10 }, achieved });
      },
      { withinMs: 45_000 },
    );
  }, 120_000);

  it('moves no weight when somebody else has changed the shares', async () => {
    const before = await weights();
    const order = { ...TRAFFIC, shares: { r1: 80, r2: 20 }, servers: { r1: 2, r2: 1 }, deadlineSeconds: 45 };
    const failure = await failureOf(runActivity(activities.setTraffic, { ...order, expected: { r1: 100 } }));
    expect(failure).toMatchObject({ type: 'Drifted', nonRetryable: true });
    expect(failure.message).toBe(
      'the traffic of web in prod was changed by hand: it is r1 90 %, r2 10 %, and it was left at r1 100 %',
    );
    expect(await weights()).toEqual(before);
    await runActivity(activities.setTraffic, { ...order, expected: { r1: 90, r2: 10 } });
    // What is there already as it is wanted was written by a try before this one.
    await runActivity(activities.setTraffic, { ...order, expected: { r1: 90, r2: 10 } });
    await setTraffic({ r1: 90, r2: 10 }, { r1: 2, r2: 1 });
  }, 120_000);

  it('moves no weight while capacity is missing', async () => {
    const before = await weights();
    const failure = await failureOf(setTraffic({ r1: 50, r2: 50 }, { r1: 2, r2: 2 }, 1));
    expect(failure).toMatchObject({ type: 'DeadlineExceeded', nonRetryable: false });
    expect(failure.message).toContain('has 1 of 2 servers of r2 up');
    expect(await weights()).toEqual(before);
  }, 120_000);

  it('counts an instance while it is being checked again', async () => {
    const slow = instances[0];
    if (slow === undefined) throw new Error('no instance is there yet');
    const statusOf = async (): Promise<string | undefined> =>
      (await runActivity(activities.observeTraffic, WEB)).servers.find(({ name }) => name === `r1.${slow.task}`)
        ?.status;
    const answers: (() => void)[] = [];
    const checkHeldBack = async (): Promise<void> => {
      await until('it to be up', async () => expect(await statusOf()).toBe('up'), { withinMs: 20_000 });
      slow.holdChecks = new Promise((resolve) => answers.push(resolve));
      await until('a check to begin', () => expect(slow.checksUnderWay).toBe(1), { withinMs: 20_000 });
      const status = await statusOf();
      // Where the balancer broke the check off before, it is tried once more.
      const underWay = slow.checksUnderWay;
      slow.holdChecks = undefined;
      for (const answer of answers.splice(0)) answer();
      expect({ status, underWay }).toEqual({ status: 'up', underWay: 1 });
    };
    await until('it to be up in the middle of a check', checkHeldBack, { withinMs: 45_000 });
  }, 120_000);

  it('does not count an instance whose health check fails', async () => {
    const ill = await instance('r2', false);
    ill.health = 503;
    await ill.register(rig.client);
    await until(
      'the balancer to have found it ill',
      async () => {
        const { servers } = await runActivity(activities.observeTraffic, WEB);
        expect(servers.find(({ name }) => name === `r2.${ill.task}`)).toMatchObject({ status: 'down' });
      },
      { withinMs: 45_000 },
    );
    const failure = await failureOf(setTraffic({ r1: 50, r2: 50 }, { r1: 2, r2: 2 }, 1));
    expect(failure.message).toContain(`r2.${ill.task} is down`);
    ill.health = 200;
    const { achieved } = await setTraffic({ r1: 50, r2: 50 }, { r1: 2, r2: 2 });
    expect(achieved).toEqual({ r1: 50, r2: 50 });
  }, 120_000);

  it('sets the same again without a change, and refuses what can not be', async () => {
    const stored = await rig.client.kvGet('slipway/traffic/prod/web');
    await setTraffic({ r1: 50, r2: 50 }, { r1: 2, r2: 2 });
    expect(await rig.client.kvGet('slipway/traffic/prod/web')).toEqual(stored);
    expect(await failureOf(setTraffic({ r1: 50 }, { r1: 2 }))).toMatchObject({
      type: 'RequestInvalid',
      nonRetryable: true,
    });
    const elsewhere = runActivity(activities.observeTraffic, { environment: 'uat', service: 'web' });
    expect(await failureOf(elsewhere)).toMatchObject({ type: 'UnknownEnvironment' });
  }, 120_000);

  it('ends early when it is cancelled', async () => {
    const environment = new MockActivityEnvironment();
    const waiting = environment.run(activities.setTraffic, { ...TRAFFIC, shares: { r3: 100 }, servers: { r3: 1 } });
    await until('a heartbeat', () => new Promise<void>((resolve) => environment.once('heartbeat', () => resolve())), {
      withinMs: 20_000,
    });
    environment.cancel('CANCELLED');
    await expect(waiting).rejects.toMatchObject({ name: 'CancelledFailure' });
  }, 120_000);

  it('loses no request while instances come and go, weights move and the balancer reloads', async () => {
    const load = startLoad();
    const reloadsBefore = (await runtime.info()).pid;
    let old = instances.filter(({ revision }) => revision === 'r1').slice(0, 2);
    for (let round = 0; round < 4; round += 1) {
      // One instance takes another's place, as when a revision is scaled: all traffic on the other revision meanwhile.
      await setTraffic({ r2: 100 }, { r2: 2 });
      await runActivity(activities.drainRevision, { ...WEB, revision: 'r1', deadlineSeconds: 45 });
      for (const one of old) {
        await rig.client.deregisterService(`web:prod:${one.task}`);
        await one.stop();
      }
      old = [await instance('r1'), await instance('r1')];
      for (const share of [1, 10, 50]) await setTraffic({ r1: share, r2: 100 - share }, { r1: 2, r2: 2 });
    }
    await until('more load', () => expect(load.requests).toBeGreaterThan(500), { withinMs: 45_000 });
    await load.stop();
    expect((await runtime.info()).pid).not.toBe(reloadsBefore);
    expect(load.failures).toEqual([]);
    expect(load.answers['r1']).toBeGreaterThan(0);
  }, 300_000);

  it('ends with the weights of the last word when a reload and a shift meet', async () => {
    for (let round = 1; round <= 4; round += 1) {
      const extra = await instance('r1');
      const [, state] = await Promise.all([
        until('the reload', async () => expect(await serversIn()).toContain(`r1.${extra.task}`), { withinMs: 45_000 }),
        setTraffic({ r1: 10 * round, r2: 100 - 10 * round }, { r1: 2, r2: 2 }),
      ]);
      await until(
        'the weights to be those of the document',
        async () => expect(await weights()).toEqual({ r1: state.weights['r1'], r2: state.weights['r2'] }),
        { withinMs: 45_000 },
      );
      await remove(extra);
    }
  }, 180_000);

  it('sends requests to other instances when one dies under load', async () => {
    const [victim] = instances.filter(({ revision }) => revision === 'r2');
    if (victim === undefined) throw new Error('there is no instance of r2');
    const load = startLoad();
    await until('load', () => expect(load.requests).toBeGreaterThan(100), { withinMs: 45_000 });
    await victim.die();
    const name = `r2.${victim.task}`;
    await until(
      'the dead instance to be down',
      async () => {
        const { servers } = await runActivity(activities.observeTraffic, WEB);
        expect(servers.find((server) => server.name === name)).toMatchObject({ status: 'down' });
      },
      { withinMs: 45_000 },
    );
    // A reload does not forget it: no request is tried on it again.
    const extra = await instance('r2');
    await until('the new instance', async () => expect(await serversIn()).toContain(`r2.${extra.task}`), {
      withinMs: 45_000,
    });
    const { servers } = await runActivity(activities.observeTraffic, WEB);
    expect(servers.find((server) => server.name === name)).toMatchObject({ status: 'down' });
    await load.stop();
    expect(load.failures).toEqual([]);
    await rig.client.deregisterService(`web:prod:${victim.task}`);
  }, 180_000);

  it('goes on with what it has when a render is no good, says why, and takes the next good one', async () => {
    const pid = (await runtime.info()).pid;
    const { consulTemplate, directory } = rig.balancer;
    await rig.client.kvPut('slipway/balancer/bad', 'nowhere:nothing');
    await until(
      'the refusal',
      () => {
        expect(existsSync(join(directory, 'rendered.cfg.refused'))).toBe(true);
        expect(readFileSync(consulTemplate.logFile, 'utf8')).toContain("in port number 'nothing'");
      },
      { withinMs: 45_000 },
    );
    expect(await send(rig.frontendPort, {})).toMatchObject({ status: 200 });
    expect((await runtime.info()).pid).toBe(pid);
    expect(readFileSync(join(directory, 'haproxy.cfg'), 'utf8')).not.toContain('nowhere');

    await rig.client.kvDelete('slipway/balancer/bad');
    const later = await instance('r1');
    await until('the next instance', async () => expect(await serversIn()).toContain(`r1.${later.task}`), {
      withinMs: 45_000,
    });
  }, 180_000);

  it('starts again with the weights it had', async () => {
    await setTraffic({ r1: 30, r2: 70 }, { r1: 2, r2: 2 });
    const before = await weights();
    const file = join(rig.balancer.directory, 'haproxy.cfg');
    await until(
      'the file to have the weights',
      () => expect(readFileSync(file, 'utf8')).toContain(` weight ${before['r1']} track`),
      { withinMs: 45_000 },
    );
    await rig.balancer.haproxy.kill9();
    await rig.balancer.haproxy.start();
    expect(await weights()).toEqual(before);
  }, 180_000);

  it('keeps its servers and weights over a restart of Consul', async () => {
    const load = startLoad();
    const [servers, before] = [await serversIn(), await weights()];
    await rig.consul.process.kill9();
    await until('load', () => expect(load.requests).toBeGreaterThan(200), { withinMs: 45_000 });
    await rig.consul.process.start();
    await setTraffic({ r1: 60, r2: 40 }, { r1: 2, r2: 2 });
    expect(await serversIn()).toEqual(servers);
    expect(await weights()).not.toEqual(before);
    await load.stop();
    expect(load.failures).toEqual([]);
  }, 180_000);

  it('drains a revision only when its last request has ended, and forgets a service', async () => {
    let release = () => {};
    const slow = instances.filter(({ revision }) => revision === 'r1');
    for (const one of slow) {
      one.hold = new Promise((resolve) => {
        const next = release;
        release = () => {
          next();
          resolve();
        };
      });
    }
    await setTraffic({ r1: 100 }, { r1: 2 });
    const request = send(rig.frontendPort, {});
    await until(
      'the request to be on its way',
      async () => {
        const { servers } = await runActivity(activities.observeTraffic, WEB);
        expect(servers.some(({ sessions }) => sessions > 0)).toBe(true);
      },
      { withinMs: 20_000 },
    );
    await setTraffic({ r2: 100 }, { r2: 2 });
    const failure = await failureOf(
      runActivity(activities.drainRevision, { ...WEB, revision: 'r1', deadlineSeconds: 1 }),
    );
    expect(failure).toMatchObject({ type: 'DeadlineExceeded' });
    expect(failure.message).toContain('weight 0, 1 requests');
    release();
    expect(await request).toMatchObject({ status: 200, revision: 'r1' });
    await runActivity(activities.drainRevision, { ...WEB, revision: 'r1', deadlineSeconds: 45 });

    await runActivity(activities.removeTraffic, WEB);
    expect(await send(rig.frontendPort, {})).toMatchObject({ status: 404 });
    await runActivity(activities.removeTraffic, WEB);
    await runActivity(activities.drainRevision, { ...WEB, revision: 'r2', deadlineSeconds: 45 });
  }, 180_000);
});
