import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { ServiceBounds } from '../../activities/consul/activities.ts';
import type { ServiceRate } from '../../activities/influx/activities.ts';
import type { LaneLoadFacts, LaneWish } from '../../activities/lane/activities.ts';
import type { AutoscaleResult } from '../../workflows/autoscale.ts';
import { type AutoscaleInput, TASK_QUEUE, WorkflowType } from '../../workflows/contract.ts';
import { startWorkflowRig, type WorkflowRig } from '../workflow-rig.ts';

jest.setTimeout(300_000);

const BOUNDS = { min: 2, max: 10, requestsPerSecondPerInstance: 20, downAfterSeconds: 30 };

/** What the activities find, and what they are asked to tell. */
interface Surroundings {
  bounds: ServiceBounds[];
  lanes: LaneLoadFacts[];
  rates: ServiceRate[];
  told: LaneWish[];
  /** Calls that find the system away; Infinity for all. */
  ratesAway: number;
  boundsAway: number;
}

function surroundings(): Surroundings {
  return { bounds: [], lanes: [], rates: [], told: [], ratesAway: 0, boundsAway: 0 };
}

function activitiesOf(world: Surroundings) {
  return {
    async readAllScaleBounds() {
      if (world.boundsAway-- > 0) throw ApplicationFailure.retryable('Consul: no answer', 'SystemUnavailable');
      return world.bounds;
    },
    async listLaneLoadFacts() {
      return world.lanes;
    },
    async readServiceRates() {
      if (world.ratesAway-- > 0) throw ApplicationFailure.retryable('InfluxDB: no answer', 'SystemUnavailable');
      return world.rates;
    },
    async tellScale({ wishes }: { wishes: LaneWish[] }) {
      world.told.push(...wishes);
      return { notRunning: [] };
    },
  };
}

describe('autoscale', () => {
  let rig: WorkflowRig | undefined;

  afterEach(async () => {
    await rig?.stop();
    rig = undefined;
  });

  async function tick(world: Surroundings): Promise<AutoscaleResult> {
    rig = await startWorkflowRig(activitiesOf(world));
    const handle = await rig.client.start<(input: AutoscaleInput) => Promise<AutoscaleResult>>(WorkflowType.Autoscale, {
      workflowId: 'autoscale',
      taskQueue: TASK_QUEUE,
      args: [{ windowSeconds: 15 }],
    });
    // Retries wait in the server's time, which passes only when asked to.
    const [outcome] = await Promise.allSettled([handle.result(), rig.passTime('1m')]);
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }

  it('tells every lane what its load asks for, and why', async () => {
    const world = surroundings();
    const names = ['grows', 'shrinks', 'stays', 'silent', 'held', 'new', 'mute', 'gone'];
    world.bounds = names.map((service) => ({ environment: 'prod', service, bounds: BOUNDS }));
    const lane = (service: string): LaneLoadFacts => ({
      environment: 'prod',
      service,
      current: { revision: 'r1', instances: 4 },
    });
    world.lanes = [
      ...['grows', 'shrinks', 'stays', 'silent'].map(lane),
      { ...lane('held'), holder: 'release/held/1' },
      { environment: 'prod', service: 'new' },
      { environment: 'prod', service: 'mute', unreadable: 'no worker is up' },
      // Another environment's lane of the same name is another lane.
      { ...lane('gone'), environment: 'fat' },
    ];
    world.rates = [
      { environment: 'prod', service: 'grows', requestsPerSecond: 130, seconds: 15 },
      { environment: 'prod', service: 'shrinks', requestsPerSecond: 30, seconds: 15 },
      { environment: 'prod', service: 'stays', requestsPerSecond: 80, seconds: 15 },
      { environment: 'fat', service: 'silent', requestsPerSecond: 500, seconds: 15 },
      { environment: 'prod', service: 'held', requestsPerSecond: 500, seconds: 15 },
    ];

    const { services } = await tick(world);

    expect(
      services.map(({ service, requestsPerSecond, instances, wish }) => [service, requestsPerSecond, instances, wish]),
    ).toEqual([
      ['grows', 130, 4, 7],
      ['shrinks', 30, 4, 2],
      ['stays', 80, 4, 4],
      ['silent', null, 4, 4],
      ['held', 500, 4, null],
      ['new', null, null, null],
      ['mute', null, null, null],
      ['gone', null, null, null],
    ]);
    expect(services.map(({ because }) => because)).toEqual([
      '130.0 requests/s at 20 each ask for 7 instances, not 4',
      '30.0 requests/s at 20 each ask for 2 instances, not 4',
      '80.0 requests/s on 4 instances is within 10 % of 20 each',
      'no figures of its load, so it stays as it is',
      'release/held/1 holds the lane',
      'nothing serves yet',
      'its lane gives no answer: no worker is up',
      'its lane does not run',
    ]);
    expect(world.told.map(({ service, signal }) => [service, signal.wish.instances])).toEqual([
      ['grows', 7],
      ['shrinks', 2],
      ['stays', 4],
      ['silent', 4],
    ]);
    expect(new Set(world.told.map(({ signal }) => signal.wish.at)).size).toBe(1);
  });

  it('tells lanes to stay as they are while the metrics are away, and says why', async () => {
    const world = surroundings();
    world.bounds = [{ environment: 'prod', service: 'sample', bounds: BOUNDS }];
    world.lanes = [{ environment: 'prod', service: 'sample', current: { revision: 'r1', instances: 4 } }];
    world.ratesAway = Number.POSITIVE_INFINITY;

    const { services } = await tick(world);

    expect(services).toEqual([
      {
        environment: 'prod',
        service: 'sample',
        requestsPerSecond: null,
        instances: 4,
        wish: 4,
        because: 'no figures of its load, so it stays as it is: InfluxDB: no answer',
      },
    ]);
    expect(world.told.map(({ signal }) => signal.wish.instances)).toEqual([4]);
  });

  it('asks again where a system was away for a moment', async () => {
    const world = surroundings();
    world.bounds = [{ environment: 'prod', service: 'sample', bounds: BOUNDS }];
    world.lanes = [{ environment: 'prod', service: 'sample', current: { revision: 'r1', instances: 4 } }];
    world.rates = [{ environment: 'prod', service: 'sample', requestsPerSecond: 200, seconds: 15 }];
    world.boundsAway = 2;
    world.ratesAway = 2;

    expect((await tick(world)).services[0]?.wish).toBe(10);
  });

  it('tells nobody anything where bounds cannot be read', async () => {
    const world = surroundings();
    world.lanes = [{ environment: 'prod', service: 'sample', current: { revision: 'r1', instances: 4 } }];
    world.boundsAway = Number.POSITIVE_INFINITY;

    await expect(tick(world)).rejects.toThrow('Workflow execution failed');
    expect(world.told).toEqual([]);
  });

  it('has nothing to do where no service has bounds', async () => {
    const world = surroundings();
    expect(await tick(world)).toEqual({ services: [] });
    expect(world.told).toEqual([]);
  });
});
