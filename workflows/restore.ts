import { log } from '@temporalio/workflow';
import type { BalancerActivities } from '../activities/balancer/activities.ts';
import type { ConsulActivities } from '../activities/consul/activities.ts';
import type { DnsActivities } from '../activities/dns/activities.ts';
import { FailureType } from '../domain/failures.ts';
import type { RevisionRecord } from '../domain/lane.ts';
import { failureFrom } from './failure.ts';
import { activities, atOnce, restore } from './options.ts';
import {
  bind,
  type ConfigMove,
  createRevision,
  directTraffic,
  pointConfig,
  removeRevision,
  scaleRevision,
  type TrafficPart,
} from './revision-effects.ts';
import { baselineOf, configKnown, type Stage } from './stage.ts';

/** A warm way back is verified in well under a second; what takes longer lacks instances, and they are seen to first. */
const WARM_SECONDS = 10;

/**
 * Puts everything back as it was before the release: traffic first, onto capacity that is verified up, then instances,
 * configuration, name and bounds. Needs no approval and asks no freeze. Tried for a day.
 *
 * @param trafficVerified called when all traffic is back on the revision before
 */
export async function restoreStage(stage: Stage, trafficVerified: () => void): Promise<void> {
  const { before, facts, service } = stage;
  const { current } = before;
  if (current) {
    const warm = await trafficBackAtOnce(stage, current);
    if (warm) trafficVerified();
    await instancesBack(stage, current);
    if (!warm) {
      await directTraffic(restore, current.spec, allOn(current));
      trafficVerified();
    }
    const config = configBack(stage);
    await bind(restore, facts, service, config, before.bounds);
  } else {
    const where = { environment: facts.name, service };
    await activities<DnsActivities>(restore(30), `Unbind the name of ${service} in ${facts.name}`).unbindName(where);
    await activities<BalancerActivities>(restore(30), `Take ${service} out of the balancer`).removeTraffic(where);
    await activities<ConsulActivities>(restore(30), `Forget the scale bounds of ${service}`).writeScaleBounds({
      ...where,
      bounds: null,
    });
    const config = configBack(stage);
    if (config.from > 0 || config.to > 0) await pointConfig(restore, where, config.to);
    trafficVerified();
  }
  const baseline = stage.baseline && baselineOf(stage);
  if (baseline) await removeRevision(restore, baseline);
  await removeRevision(restore, stage.spec);
}

/** All traffic back while every instance of the revision before still serves; false when some do not. */
async function trafficBackAtOnce(stage: Stage, current: RevisionRecord): Promise<boolean> {
  if (stage.kept < current.instances) return false;
  try {
    await directTraffic(atOnce, current.spec, allOn(current), { deadlineSeconds: WARM_SECONDS });
    return true;
  } catch (error) {
    const failure = failureFrom(error);
    if (!failure) throw error;
    log.warn('the revision before is not all there', { ...placeOf(stage), failure });
    return false;
  }
}

/** Every instance of the revision before, healthy. */
async function instancesBack(stage: Stage, current: RevisionRecord): Promise<void> {
  try {
    await createRevision(restore, current.spec, current.instances);
  } catch (error) {
    // Somebody edited the app by hand, which was adopted or has not been seen yet. It is there, and that is enough.
    if (failureFrom(error)?.type !== FailureType.SystemRefused) throw error;
    log.warn('the revision before is not as it was made', { ...placeOf(stage), error });
  }
  try {
    await scaleRevision(restore, current.spec, current.instances);
  } catch (error) {
    if (failureFrom(error)?.type !== FailureType.CapacityExhausted || stage.instances === 0) throw error;
    await makeRoom(stage, current);
    await scaleRevision(restore, current.spec, current.instances);
  }
}

/**
 * As many of the new instances go as the revision before lacks; what is left of both shares the traffic meanwhile, by
 * the instances that are up.
 */
async function makeRoom(stage: Stage, current: RevisionRecord): Promise<void> {
  const { kept, spec } = stage;
  const fewer = Math.max(0, stage.instances - Math.max(1, current.instances - kept));
  log.warn('the new revision makes room for the one before', { ...placeOf(stage), from: stage.instances, to: fewer });
  if (kept > 0) {
    const share = Math.floor((100 * fewer) / (fewer + kept));
    const parts = [
      { revision: spec.revision, share, instances: 1 },
      { revision: current.revision, share: 100 - share, instances: 1 },
    ];
    await directTraffic(
      restore,
      current.spec,
      parts.filter((part) => part.share > 0),
    );
  }
  await scaleRevision(restore, spec, fewer, false);
  stage.instances = fewer;
}

/**
 * What the config pointer goes back to. Where the lane knew of no version it may be somebody's own: then it is put back as it
 * was found, and left alone while this release has not moved it.
 */
function configBack(stage: Stage): ConfigMove {
  const to = configKnown(stage) || stage.configBefore;
  return to === undefined ? { from: 0, to: 0 } : { from: stage.bundle.configVersion, to };
}

function allOn({ instances, revision }: RevisionRecord): readonly TrafficPart[] {
  return [{ revision, share: 100, instances }];
}

const placeOf = ({ facts, service }: Stage) => ({ environment: facts.name, service });
