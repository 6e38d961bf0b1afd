import { ActivityFailure, log, setCurrentDetails } from '@temporalio/workflow';
import type { ConsulActivities, ServiceBounds } from '../activities/consul/activities.ts';
import type { InfluxActivities, ServiceRate } from '../activities/influx/activities.ts';
import type { LaneActivities, LaneLoadFacts, LaneWish } from '../activities/lane/activities.ts';
import { type AutoscaleRow, wishForLoad } from '../domain/autoscale/wish.ts';
import type { AutoscaleInput } from './contract.ts';
import { activities, type Profile, READ } from './options.ts';

/** A tick is worth nothing later: the next one has newer figures. */
const TICK: Profile = { ...READ, startToCloseTimeout: '10s', scheduleToCloseTimeout: '30s' };

/** How many services the current details name. */
const MOST_SHOWN = 100;

export interface AutoscaleResult {
  /** One row a service with scale bounds, by environment and service. */
  readonly services: readonly AutoscaleRow[];
}

/**
 * One tick of autoscaling, run by a schedule: reads bounds, load and what runs, each by one call for all services, and
 * tells every lane what its load asks for. It changes nothing itself; the lane is the only writer of a service's scale.
 * Without figures it tells lanes to stay as they are. Fails when bounds or lanes can't be read: then nobody is told
 * anything, which holds as well.
 */
export async function autoscale({ windowSeconds }: AutoscaleInput): Promise<AutoscaleResult> {
  const [bounds, lanes, rates] = await Promise.all([
    activities<ConsulActivities>(TICK, 'Read the scale bounds of all services').readAllScaleBounds(),
    activities<LaneActivities>(TICK, 'Ask all lanes what runs').listLaneLoadFacts(),
    readRates(windowSeconds),
  ]);
  const rows = bounds.map((service) => decide(service, lanes, rates, windowSeconds));
  setCurrentDetails(describe(rows));

  const at = new Date().toISOString();
  const wishes = rows.flatMap<LaneWish>(({ environment, service, wish, because }) =>
    wish === null ? [] : [{ environment, service, signal: { wish: { instances: wish, at }, because } }],
  );
  if (wishes.length > 0) {
    const telling = activities<LaneActivities>(TICK, `Tell ${wishes.length} lanes what the load asks for`);
    const { notRunning } = await telling.tellScale({ wishes });
    // They ran when they were listed; whoever ended them knows why.
    if (notRunning.length > 0) log.warn('lanes have ended meanwhile', { notRunning });
  }
  return { services: rows };
}

/** The load of all services; the reason when there are no figures of any. */
async function readRates(windowSeconds: number): Promise<readonly ServiceRate[] | string> {
  try {
    return await activities<InfluxActivities>(TICK, 'Read the load of all services').readServiceRates({
      windowSeconds,
    });
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.warn('no figures of any load', { error });
    return error.cause?.message ?? error.message;
  }
}

function decide(
  { environment, service, bounds }: ServiceBounds,
  lanes: readonly LaneLoadFacts[],
  rates: readonly ServiceRate[] | string,
  windowSeconds: number,
): AutoscaleRow {
  const isIt = (other: { environment: string; service: string }) =>
    other.environment === environment && other.service === service;
  const lane = lanes.find(isIt);
  const load = typeof rates === 'string' ? undefined : rates.find(isIt);
  const row = { environment, service, requestsPerSecond: load?.requestsPerSecond ?? null };
  if (!lane) return { ...row, instances: null, wish: null, because: 'its lane does not run' };
  if ('unreadable' in lane) {
    return { ...row, instances: null, wish: null, because: `its lane gives no answer: ${lane.unreadable}` };
  }
  const decision = wishForLoad({
    bounds,
    windowSeconds,
    ...(lane.current && { instances: lane.current.instances }),
    ...(lane.holder !== undefined && { holder: lane.holder }),
    ...(load && { load }),
  });
  const because = typeof rates === 'string' ? `${decision.because}: ${rates}` : decision.because;
  return { ...row, instances: lane.current?.instances ?? null, wish: decision.wish, because };
}

function describe(rows: readonly AutoscaleRow[]): string {
  const lines = rows
    .slice(0, MOST_SHOWN)
    .map(({ environment, service, because }) => `${service} in ${environment}: ${because}`);
  const more = rows.length > MOST_SHOWN ? [`and ${rows.length - MOST_SHOWN} more`] : [];
  return rows.length === 0 ? 'no service has scale bounds' : [...lines, ...more].join('\n\n');
}
