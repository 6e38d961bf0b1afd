import { log } from '@temporalio/workflow';
import type { BalancerActivities } from '../activities/balancer/activities.ts';
import type { ConsulActivities } from '../activities/consul/activities.ts';
import type { DnsActivities } from '../activities/dns/activities.ts';
import type { EnvironmentFacts } from '../activities/environments/activities.ts';
import type { MarathonActivities } from '../activities/marathon/activities.ts';
import type { Bundle } from '../domain/bundle.ts';
import { counted } from '../domain/counted.ts';
import { revisionAppId } from '../domain/environment.ts';
import { FailureType } from '../domain/failures.ts';
import { earlierThan, type LaneState, type RevisionRecord, type ScaleBounds } from '../domain/lane.ts';
import { type RevisionSpec, revisionApp } from '../domain/revision-app.ts';
import { failureFrom } from './failure.ts';
import { activities, change, type Profile, restore } from './options.ts';
import { untilDone } from './until-done.ts';
import type { WaitBoard } from './wait.ts';

/** Offers, image pull and registration come on top of a service's own time to start. */
const PLATFORM_SECONDS = 90;
/** Longest wait for the last request of a revision that gets no new ones. */
const DRAIN_SECONDS = 60;

/** One service in one environment while a release holds its lane. */
export interface Stage {
  readonly facts: EnvironmentFacts;
  readonly service: string;
  /** What the lane knew when it admitted the release. */
  readonly before: LaneState;
  readonly bundle: Bundle;
  /** The new revision. */
  readonly spec: RevisionSpec;
  /** What autoscaling may do once the new revision serves; absent for nothing. */
  readonly bounds?: ScaleBounds;
  /** Instances of the new revision, as wanted now. */
  instances: number;
  /** Percent of traffic on the new revision, as wanted now. */
  share: number;
  /** True from the moment something outside may have changed: from then on there is something to restore. */
  touched: boolean;
}

/** Brings the new revision to so many healthy instances. They get no traffic by this. */
export async function startInstances(stage: Stage, instances: number): Promise<void> {
  const exists = stage.instances > 0;
  stage.touched = true;
  stage.instances = instances;
  if (!exists) await createRevision(change, stage.spec, instances);
  await scaleRevision(change, stage.spec, instances);
}

/**
 * Puts a share of the traffic on the new revision and the rest on the one before, verified in every balancer. The
 * activity first sees that the instances which shall carry it are up there, so capacity always comes before weight.
 *
 * @param share percent
 */
export async function moveTraffic(stage: Stage, share: number): Promise<void> {
  const { current } = stage.before;
  stage.touched = true;
  stage.share = share;
  const parts = [{ revision: stage.spec.revision, share, instances: stage.instances }];
  if (current && share < 100) {
    parts.push({ revision: current.revision, share: 100 - share, instances: current.instances });
  }
  await directTraffic(change, stage.spec, parts);
}

/** Makes the new revision the one that the name, the configuration and autoscaling mean. */
export async function bindNames(stage: Stage): Promise<void> {
  await bind(change, stage.facts, stage.service, stage.bundle.configVersion, stage.bounds);
}

/**
 * Takes the revision before out of service: its last requests end, then its instances. The new revision serves
 * everything by then, so trouble with the old one is no reason to go back: it is tried until it works.
 */
export async function retireBefore(stage: Stage, board: WaitBoard): Promise<void> {
  const { current } = stage.before;
  if (!current) return;
  await untilDone(board, `retiring ${current.revision} in ${stage.facts.name}`, () =>
    removeRevision(change, current.spec),
  );
}

/** What the lane shall know after the release has gone through. */
export function stateAfter(stage: Stage): LaneState {
  const { before, bounds } = stage;
  const current: RevisionRecord = {
    revision: stage.spec.revision,
    bundle: stage.bundle,
    spec: stage.spec,
    instances: stage.instances,
  };
  return {
    environment: before.environment,
    service: before.service,
    lastRevision: numberAfter(stage),
    current,
    ...(before.current === undefined ? {} : { previous: before.current }),
    ...(bounds === undefined ? {} : { bounds }),
    weights: { [stage.spec.revision]: 100 },
    configVersion: stage.bundle.configVersion,
    earlier: earlierThan(stage.bundle, before),
  };
}

/** What the lane shall know after the release was undone: what it knew before, but the revision's number is used up. */
export function stateRestored(stage: Stage): LaneState {
  return { ...stage.before, lastRevision: numberAfter(stage) };
}

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
    await createRevision(restore, current.spec, current.instances);
    await scaleRevision(restore, current.spec, current.instances);
    await directTraffic(restore, current.spec, [
      { revision: current.revision, share: 100, instances: current.instances },
    ]);
    trafficVerified();
    await bind(restore, facts, service, current.bundle.configVersion, before.bounds);
  } else {
    const where = { environment: facts.name, service };
    await activities<DnsActivities>(restore(30), `Unbind the name of ${service} in ${facts.name}`).unbindName(where);
    await activities<BalancerActivities>(restore(30), `Take ${service} out of the balancer`).removeTraffic(where);
    await activities<ConsulActivities>(restore(30), `Forget the scale bounds of ${service}`).writeScaleBounds({
      ...where,
      bounds: null,
    });
    trafficVerified();
  }
  await removeRevision(restore, stage.spec);
}

type ProfileOf = (seconds: number) => Profile;

async function createRevision(profile: ProfileOf, spec: RevisionSpec, instances: number): Promise<void> {
  const { environment, revision, service } = spec;
  await activities<MarathonActivities>(
    profile(30),
    `Create ${revision} of ${service} in ${environment}`,
  ).ensureRevision({ environment, app: revisionApp({ ...spec, instances }) });
}

async function scaleRevision(profile: ProfileOf, spec: RevisionSpec, instances: number): Promise<void> {
  const { environment, revision, service, startSeconds } = spec;
  const deadlineSeconds = startSeconds + PLATFORM_SECONDS;
  await activities<MarathonActivities>(
    profile(deadlineSeconds),
    `${counted(instances, 'healthy instance')} of ${revision} in ${environment}`,
  ).scaleRevision({
    environment,
    appId: revisionAppId(environment, service, revision),
    instances,
    waitHealthy: true,
    deadlineSeconds,
  });
}

async function directTraffic(
  profile: ProfileOf,
  spec: RevisionSpec,
  parts: readonly { readonly revision: string; readonly share: number; readonly instances: number }[],
): Promise<void> {
  const { environment, service, healthPath } = spec;
  const said = parts.map(({ revision, share }) => `${share} % to ${revision}`).join(', ');
  await activities<BalancerActivities>(profile(PLATFORM_SECONDS), `Traffic of ${environment}: ${said}`).setTraffic({
    environment,
    service,
    healthPath,
    shares: Object.fromEntries(parts.map(({ revision, share }) => [revision, share])),
    servers: Object.fromEntries(parts.map(({ revision, instances }) => [revision, instances])),
    deadlineSeconds: PLATFORM_SECONDS,
  });
}

/** Side by side: none of the three needs another, and traffic is where it shall be already. */
async function bind(
  profile: ProfileOf,
  facts: EnvironmentFacts,
  service: string,
  configVersion: number,
  bounds: ScaleBounds | undefined,
): Promise<void> {
  const where = { environment: facts.name, service };
  const bound: Promise<unknown>[] = [
    activities<DnsActivities>(profile(30), `Bind the name of ${service} in ${facts.name}`).bindName({
      ...where,
      ...facts.balancer,
    }),
  ];
  if (configVersion > 0) {
    const config = activities<ConsulActivities>(profile(30), `Config version ${configVersion} is current`);
    bound.push(config.pointConfig({ ...where, version: configVersion }));
  }
  // Only production is scaled by load; elsewhere there are no bounds, and none are taken away.
  if (facts.tier === 'production') {
    const said = bounds ? `Scale between ${bounds.min} and ${bounds.max}` : 'No autoscaling';
    bound.push(activities<ConsulActivities>(profile(30), said).writeScaleBounds({ ...where, bounds: bounds ?? null }));
  }
  await Promise.all(bound);
}

async function removeRevision(profile: ProfileOf, spec: RevisionSpec): Promise<void> {
  const { environment, revision, service } = spec;
  try {
    await activities<BalancerActivities>(profile(DRAIN_SECONDS), `The last requests of ${revision} end`).drainRevision({
      environment,
      service,
      revision,
      deadlineSeconds: DRAIN_SECONDS,
    });
  } catch (error) {
    // Connections may last for days; its instances still get their own time to end when they are stopped.
    if (failureFrom(error)?.type !== FailureType.DeadlineExceeded) throw error;
    log.warn('a revision is stopped with requests still running', { environment, service, revision });
  }
  await activities<MarathonActivities>(
    profile(120),
    `Remove ${revision} of ${service} in ${environment}`,
  ).deleteRevision({
    environment,
    appId: revisionAppId(environment, service, revision),
  });
}

function numberAfter(stage: Stage): number {
  return Math.max(stage.before.lastRevision, Number(stage.spec.revision.slice(1)));
}
