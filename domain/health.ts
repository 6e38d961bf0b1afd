import type { Difference, Expected, ObservedApp } from './drift.ts';
import { revisionAppId } from './environment.ts';
import type { RevisionSpec } from './revision-app.ts';

/** What a release holds its new revision to while it waits. */
export interface HealthRule {
  readonly revision: string;
  /** So long fewer instances than there should be may be healthy: one that is lost and replaced in time is no reason. */
  readonly graceSeconds: number;
}

/** What a look found of a revision. */
export interface HealthSeen {
  /** ISO 8601. */
  readonly at: string;
  readonly healthy: number;
  /** How many should be. */
  readonly wanted: number;
}

/** How a revision does, by all looks until now. */
export type Health = { readonly state: 'fine' } | Ailing | Ill;

/** Too few instances are healthy, and may be for a while. */
export interface Ailing extends Omit<HealthSeen, 'at'> {
  readonly state: 'ailing';
  /** ISO 8601: the look that saw it first. */
  readonly since: string;
  /** ISO 8601: the look that saw it last. */
  readonly seen: string;
}

/** Too few were healthy for longer than they may be. */
export interface Ill extends Omit<Ailing, 'state'> {
  readonly state: 'ill';
}

/** A revision that is watched over. */
export interface WatchedHealth {
  readonly rule: HealthRule;
  /** How it did until now. */
  readonly health: Health;
}

/** What a watch over a service has to tell. */
export interface Sighting {
  /** All that is not as Slipway made it. */
  readonly differences: readonly Difference[];
  readonly health: Health;
  /** What Marathon says of a revision that is ill: how its instances are, and the last failure. */
  readonly why?: string;
}

export const FINE: Health = { state: 'fine' };

/** Besides the time to start: until a lost instance is noticed, and there is an offer for another one. */
const REPLACED_SECONDS = 30;
/** What was not seen for longer than this may have been well in between. */
const UNSEEN_SECONDS = 60;

/** An instance that is lost may take so long until another one is healthy in its place. */
export function healthRuleOf({ revision, startSeconds }: RevisionSpec): HealthRule {
  return { revision, graceSeconds: startSeconds + REPLACED_SECONDS };
}

/**
 * What a look at all apps of a service says of one revision; undefined when it says nothing. A person who scales it is no
 * reason: of fewer instances fewer need to be healthy, more than Slipway made may take their time, and an app that was
 * deleted by hand is a difference.
 */
export function healthSeen(
  { environment, revisions, service }: Expected,
  apps: readonly ObservedApp[] | undefined,
  revision: string,
  at: string,
): HealthSeen | undefined {
  if (apps === undefined) return undefined;
  const app = apps.find(({ appId }) => appId === revisionAppId(environment, service, revision));
  if (app === undefined) return { at, healthy: 0, wanted: 0 };
  if (app.healthy === undefined) return undefined;
  const made = revisions.find(({ spec }) => spec.revision === revision)?.instances ?? 0;
  return { at, healthy: app.healthy, wanted: Math.min(app.instances, made) };
}

/**
 * How a revision does after one more look. Only a look that sees it so calls it ill; what no look has seen for a minute
 * begins anew.
 *
 * @param seen undefined when the look learnt nothing
 */
export function healthAfter(before: Health, seen: HealthSeen | undefined, graceSeconds: number): Health {
  if (seen === undefined) return before;
  const { at, healthy, wanted } = seen;
  if (healthy >= wanted) return FINE;
  const goesOn = before.state !== 'fine' && secondsBetween(before.seen, at) <= UNSEEN_SECONDS;
  const since = goesOn ? before.since : at;
  const state = secondsBetween(since, at) >= graceSeconds ? 'ill' : 'ailing';
  return { state, since, seen: at, healthy, wanted };
}

/** One plain sentence on a revision with too few healthy instances. */
export function ailingSentence(
  environment: string,
  { revision }: HealthRule,
  { healthy, since, wanted }: Ailing | Ill,
): string {
  return `${revision} in ${environment} has ${healthy} of ${wanted} instances healthy, and too few since ${since}`;
}

/** The same of one that is ill. @param why what Marathon says */
export function illnessSentence(environment: string, rule: HealthRule, ill: Ill, why: string | undefined): string {
  const long = `longer than the ${rule.graceSeconds} s that replacing one may take`;
  return `${ailingSentence(environment, rule, ill)}, ${long}${why === undefined ? '' : `: ${why}`}`;
}

function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}
