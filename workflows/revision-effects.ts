/** What is done to a revision and its traffic outside, each by one activity or two; used on the way forward and back. */
import { log } from '@temporalio/workflow';
import type { BalancerActivities } from '../activities/balancer/activities.ts';
import type { ConsulActivities } from '../activities/consul/activities.ts';
import type { DnsActivities } from '../activities/dns/activities.ts';
import type { EnvironmentFacts } from '../activities/environments/activities.ts';
import type { MarathonActivities } from '../activities/marathon/activities.ts';
import type { RemovalActivities } from '../activities/revision/removal.ts';
import { counted } from '../domain/counted.ts';
import type { Expected } from '../domain/drift.ts';
import { revisionAppId } from '../domain/environment.ts';
import { FailureType } from '../domain/failures.ts';
import type { ScaleBounds } from '../domain/lane.ts';
import { type RevisionSpec, revisionApp } from '../domain/revision-app.ts';
import { failureFrom } from './failure.ts';
import { activities, type Profile } from './options.ts';

/** Offers, image pull and registration come on top of a service's own time to start. */
const PLATFORM_SECONDS = 90;
/** Longest wait for the last request of a revision that gets no new ones. */
const DRAIN_SECONDS = 60;
/** Longest wait for the last instance of a revision to end. */
const DELETE_SECONDS = 120;

/** How an effect is called: `change` on the way forward, `restore` on a way back. */
type ProfileOf = (seconds: number) => Profile;

/** Which revision of what, however it runs. */
type RevisionOf = Pick<RevisionSpec, 'environment' | 'revision' | 'service'>;

/** What was left where an effect is to change it. */
export interface Left extends Pick<Expected, 'bounds'> {
  /** Undefined where somebody's own traffic document was adopted. */
  readonly weights: Expected['weights'] | undefined;
}

/** Who gets how much of the traffic. */
export interface TrafficPart {
  readonly revision: string;
  /** Percent. */
  readonly share: number;
  readonly instances: number;
}

/** Makes the app of a revision exist. */
export async function createRevision(profile: ProfileOf, spec: RevisionSpec, instances: number): Promise<void> {
  const { environment, revision, service } = spec;
  await activities<MarathonActivities>(
    profile(30),
    `Create ${revision} of ${service} in ${environment}`,
  ).ensureRevision({ environment, app: revisionApp({ ...spec, instances }) });
}

/** Returns when the revision has exactly so many instances and all are healthy. */
export async function scaleRevision(
  profile: ProfileOf,
  spec: RevisionSpec,
  instances: number,
  waitHealthy = true,
): Promise<void> {
  const { environment, revision, service, startSeconds } = spec;
  const deadlineSeconds = startSeconds + PLATFORM_SECONDS;
  await activities<MarathonActivities>(profile(deadlineSeconds), instancesOf(spec, instances)).scaleRevision({
    environment,
    appId: revisionAppId(environment, service, revision),
    instances,
    waitHealthy,
    deadlineSeconds,
  });
}

/** What is to run of a revision. */
export interface Wanted {
  readonly spec: RevisionSpec;
  readonly instances: number;
}

/** Returns when each revision exists, has exactly so many instances, and all are healthy. */
export async function startRevisions(profile: ProfileOf, wanted: readonly Wanted[]): Promise<void> {
  const [first] = wanted;
  if (!first) return;
  const deadlineSeconds = first.spec.startSeconds + PLATFORM_SECONDS;
  await activities<MarathonActivities>(profile(deadlineSeconds), startingOf(wanted)).startRevisions({
    environment: first.spec.environment,
    apps: wanted.map(({ spec, instances }) => revisionApp({ ...spec, instances })),
    deadlineSeconds,
  });
}

/** Such as `1 healthy instance of r8 in prod, 1 healthy instance of r7-baseline in prod`. */
export function startingOf(wanted: readonly Wanted[]): string {
  return wanted.map(({ spec, instances }) => instancesOf(spec, instances)).join(', ');
}

/** Such as `2 healthy instances of r7 in prod`. */
export function instancesOf({ environment, revision }: RevisionSpec, instances: number): string {
  return `${counted(instances, 'healthy instance')} of ${revision} in ${environment}`;
}

/**
 * Sets who gets how much of the traffic; each must have so many instances up before.
 *
 * @param options.left what is there, unless somebody has changed it by hand: then nothing is done
 */
export async function directTraffic(
  profile: ProfileOf,
  spec: RevisionSpec,
  parts: readonly TrafficPart[],
  { deadlineSeconds = PLATFORM_SECONDS, left }: { readonly deadlineSeconds?: number; readonly left?: Left } = {},
): Promise<void> {
  const { environment, service, healthPath } = spec;
  const said = parts.map(({ revision, share }) => `${share} % to ${revision}`).join(', ');
  await activities<BalancerActivities>(profile(deadlineSeconds), `Traffic of ${environment}: ${said}`).setTraffic({
    environment,
    service,
    healthPath,
    shares: Object.fromEntries(parts.map(({ revision, share }) => [revision, share])),
    servers: Object.fromEntries(parts.map(({ revision, instances }) => [revision, instances])),
    deadlineSeconds,
    ...(left?.weights && { expected: left.weights }),
  });
}

/** Which version of the configuration is to be current, and which may be; 0: none. */
export interface ConfigMove {
  readonly from: number;
  readonly to: number;
}

/**
 * Makes a revision the one that name, configuration and autoscaling mean. Side by side: none of the three needs another,
 * and traffic is where it shall be already.
 *
 * @param left what is there, unless somebody has changed it by hand: then nothing is done; undefined for whatever is there
 */
export async function bind(
  profile: ProfileOf,
  facts: EnvironmentFacts,
  service: string,
  config: ConfigMove,
  bounds: ScaleBounds | undefined,
  left?: Left,
): Promise<void> {
  const where = { environment: facts.name, service };
  const name = activities<DnsActivities>(profile(30), `Bind the name of ${service} in ${facts.name}`);
  const bound: (() => Promise<unknown>)[] = [() => name.bindName({ ...where, ...facts.balancer })];
  if (config.from > 0 || config.to > 0) bound.push(() => pointConfig(profile, where, config.to, left && config.from));
  // Only production is scaled by load; elsewhere there are no bounds, and none are taken away.
  if (facts.tier === 'production') {
    const said = bounds ? `Scale between ${bounds.min} and ${bounds.max}` : 'No autoscaling';
    const scale = activities<ConsulActivities>(profile(30), said);
    bound.push(() =>
      scale.writeScaleBounds({ ...where, bounds: bounds ?? null, ...(left && { expected: left.bounds }) }),
    );
  }
  // None is told to stop when another fails: each is over in a moment, and no way back begins beside them.
  const ended = await Promise.allSettled(bound.map((work) => work()));
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
}

/**
 * Makes a version of the configuration the current one; 0: none is.
 *
 * @param from which is current, unless somebody has pointed elsewhere by hand; 0 and undefined for any
 */
export async function pointConfig(
  profile: ProfileOf,
  where: { readonly environment: string; readonly service: string },
  version: number,
  from = 0,
): Promise<void> {
  const said = version > 0 ? `Config version ${version} is current` : 'No config version is current';
  await activities<ConsulActivities>(profile(30), said).pointConfig({
    ...where,
    version,
    ...(from > 0 ? { expected: from } : {}),
  });
}

/** Takes a revision without traffic away: its last requests end, then its instances. */
export async function removeRevision(
  profile: ProfileOf,
  { environment, revision, service }: RevisionOf,
): Promise<void> {
  const { drained } = await activities<RemovalActivities>(
    profile(DRAIN_SECONDS + DELETE_SECONDS),
    `Remove ${revision} of ${service} in ${environment} once its last requests have ended`,
  ).removeRevision({
    environment,
    service,
    revision,
    appId: revisionAppId(environment, service, revision),
    drainSeconds: DRAIN_SECONDS,
    deleteSeconds: DELETE_SECONDS,
  });
  if (!drained) log.warn('a revision was stopped with requests still running', { environment, service, revision });
}

/** Waits until a revision without traffic has answered its last requests. */
export async function drain(profile: ProfileOf, { environment, revision, service }: RevisionOf): Promise<void> {
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
}
