import { log } from '@temporalio/workflow';
import type { BalancerActivities } from '../activities/balancer/activities.ts';
import type { ConsulActivities } from '../activities/consul/activities.ts';
import type { DnsActivities } from '../activities/dns/activities.ts';
import { FailureType } from '../domain/failures.ts';
import type { RevisionSpec } from '../domain/revision-app.ts';
import { failureFrom } from './failure.ts';
import { activities, restore } from './options.ts';
import { bind, createRevision, directTraffic, pointConfig, removeRevision, scaleRevision } from './revision-effects.ts';
import { baselineOf, type Stage } from './stage.ts';

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
    await reviveRevision(current.spec, current.instances);
    await scaleRevision(restore, current.spec, current.instances);
    await directTraffic(restore, current.spec, [
      { revision: current.revision, share: 100, instances: current.instances },
    ]);
    trafficVerified();
    const config = { from: stage.bundle.configVersion, to: before.configVersion ?? current.bundle.configVersion };
    await bind(restore, facts, service, config, before.bounds);
  } else {
    const where = { environment: facts.name, service };
    await activities<DnsActivities>(restore(30), `Unbind the name of ${service} in ${facts.name}`).unbindName(where);
    await activities<BalancerActivities>(restore(30), `Take ${service} out of the balancer`).removeTraffic(where);
    await activities<ConsulActivities>(restore(30), `Forget the scale bounds of ${service}`).writeScaleBounds({
      ...where,
      bounds: null,
    });
    if (stage.bundle.configVersion > 0) await pointConfig(restore, where, 0);
    trafficVerified();
  }
  const baseline = stage.baseline && baselineOf(stage);
  if (baseline) await removeRevision(restore, baseline);
  await removeRevision(restore, stage.spec);
}

/** An app that was edited by hand meanwhile serves all the same: the way back must not end at it. The lane names it then. */
async function reviveRevision(spec: RevisionSpec, instances: number): Promise<void> {
  try {
    await createRevision(restore, spec, instances);
  } catch (error) {
    if (failureFrom(error)?.type !== FailureType.SystemRefused) throw error;
    log.warn('what is gone back to is not as it was released', { revision: spec.revision, error });
  }
}
