import type { EnvironmentFacts } from '../activities/environments/activities.ts';
import type { Bundle } from '../domain/bundle.ts';
import type { Expected } from '../domain/drift.ts';
import { baselineName } from '../domain/environment.ts';
import { earlierThan, type LaneState, type RevisionRecord, type ScaleBounds } from '../domain/lane.ts';
import type { BaselineTarget, ShiftOrder } from '../domain/plan.ts';
import type { RevisionSpec } from '../domain/revision-app.ts';
import type { Gate } from './gate.ts';
import type { TrafficPart } from './revision-effects.ts';

/** One service in one environment while a release holds its lane. */
export interface Stage {
  readonly facts: EnvironmentFacts;
  readonly service: string;
  /** What the lane knew when it admitted the release, and what of it was changed by hand and adopted since. */
  before: LaneState;
  readonly bundle: Bundle;
  /** The new revision. */
  readonly spec: RevisionSpec;
  /** What autoscaling may do once the new revision serves; absent for nothing. */
  readonly bounds?: ScaleBounds;
  /** Asked before each forward effect. */
  readonly gate: Gate;
  /** Instances of the new revision, as wanted now. */
  instances: number;
  /** Percent of traffic on the new revision, as wanted now. */
  share: number;
  /** Instances of the revision before, as wanted now. */
  kept: number;
  /** How the last shift came to its targets; undefined before the first. */
  order: ShiftOrder | undefined;
  /** Fresh instances of the revision before, as wanted now. */
  baseline: BaselineTarget | null;
  /** Since when traffic has been shared as it is now; undefined before it was moved. */
  sharedSince: Date | undefined;
  /** Effects of the step under way that were completed, by what they are called. */
  completed: Set<string>;
  /**
   * The config version that was current before a release moved the pointer where the lane knew of none; undefined while it
   * has not.
   */
  configBefore: number | undefined;
  /** True from the moment something outside may have changed: from then on there is something to restore. */
  touched: boolean;
}

/** A stage in which nothing has been done yet. */
export function untouched(given: Omit<Stage, keyof Progress | 'completed' | 'configBefore' | 'touched'>): Stage {
  const kept = given.before.current?.instances ?? 0;
  return {
    ...given,
    ...{ instances: 0, share: 0, kept, order: undefined, baseline: null, sharedSince: undefined },
    ...{ completed: new Set<string>(), configBefore: undefined, touched: false },
  };
}

/** How far a stage has come: what a step that is tried again begins from. */
export type Progress = Pick<Stage, 'instances' | 'share' | 'kept' | 'order' | 'baseline' | 'sharedSince'>;

export function progressOf(stage: Stage | undefined): Progress | undefined {
  if (!stage) return undefined;
  const { instances, share, kept, order, baseline, sharedSince } = stage;
  return { instances, share, kept, order, baseline, sharedSince };
}

/**
 * The stage as it was when a step began that failed and is tried again: it goes the same way, and what was completed on it
 * is not done again.
 *
 * @param began undefined when that step was the first in the environment
 */
export function beginAgain(stage: Stage | undefined, began: Progress | undefined): void {
  if (stage) Object.assign(stage, began ?? progressOf(untouched(stage)));
}

/** Who has how much of the traffic, as the stage wants it now. */
export function sharesOf(stage: Stage): TrafficPart[] {
  const { baseline, before, instances, kept, share, spec } = stage;
  const { current } = before;
  const parts: TrafficPart[] = [{ revision: spec.revision, share, instances }];
  if (!current) return parts;
  const fresh = baseline?.weight ?? 0;
  if (baseline && fresh > 0) {
    parts.push({ revision: baselineName(current.revision), share: fresh, instances: baseline.instances });
  }
  const rest = 100 - share - fresh;
  if (rest > 0) parts.push({ revision: current.revision, share: rest, instances: kept });
  return parts;
}

/** The config version that the lane knew of before the release; 0 where it knew of none. */
export function configKnown({ before }: Stage): number {
  return before.configVersion ?? before.current?.bundle.configVersion ?? 0;
}

/** How the baseline runs: as the revision before, under a name of its own. */
export function baselineOf({ before: { current } }: Stage): RevisionSpec | undefined {
  return current && { ...current.spec, revision: baselineName(current.revision) };
}

/** What the release has made of the environment until now: everything that a person could change by hand. */
export function expectedInStage(stage: Stage): Expected {
  const { baseline, before, bundle, facts, instances, kept, share, spec } = stage;
  const { current } = before;
  const fresh = baselineOf(stage);
  // Names and bounds follow as soon as the new revision has all of the traffic.
  const bound = share === 100;
  const bounds = bound && facts.tier === 'production' ? stage.bounds : before.bounds;
  return {
    environment: before.environment,
    service: before.service,
    revisions: [
      ...(instances > 0 ? [{ spec, instances }] : []),
      ...(current ? [{ spec: current.spec, instances: kept }] : []),
      ...(baseline && fresh ? [{ spec: fresh, instances: baseline.instances }] : []),
    ],
    weights: Object.fromEntries(
      sharesOf(stage)
        .filter((part) => part.share > 0)
        .map((part) => [part.revision, part.share]),
    ),
    configVersion: bound ? bundle.configVersion : configKnown(stage),
    bounds: bounds ?? null,
    tolerated: before.tolerated ?? [],
  };
}

/**
 * A revision was scaled by hand and that was adopted: of the revision before, so many shall be there after a way back.
 *
 * @param left the stage as it was left; a target that a shift has written since stays
 */
export function adoptScale(stage: Stage, left: Stage, revision: string, instances: number): void {
  const { current } = stage.before;
  if (revision === stage.spec.revision) {
    if (stage.instances === left.instances) stage.instances = instances;
    left.instances = instances;
  } else if (revision === current?.revision) {
    if (stage.kept === left.kept) stage.kept = instances;
    left.kept = instances;
    stage.before = { ...stage.before, current: { ...current, instances } };
  } else if (left.baseline) {
    const baseline = { ...left.baseline, instances };
    if (stage.baseline?.instances === left.baseline.instances) stage.baseline = baseline;
    left.baseline = baseline;
  }
}

/** What the lane shall know after the release has gone through. */
export function stateAfter(stage: Stage): LaneState {
  const { before, facts } = stage;
  // Only production has bounds from a manifest; those of elsewhere are the operators'.
  const bounds = facts.tier === 'production' ? stage.bounds : before.bounds;
  const current: RevisionRecord = {
    revision: stage.spec.revision,
    bundle: stage.bundle,
    spec: stage.spec,
    instances: stage.instances,
    bounds: bounds ?? null,
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

function numberAfter(stage: Stage): number {
  return Math.max(stage.before.lastRevision, Number(stage.spec.revision.slice(1)));
}
