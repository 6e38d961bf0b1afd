import type { BaselineTarget, ShiftTarget } from '../domain/plan.ts';
import { change } from './options.ts';
import {
  bind,
  createRevision,
  directTraffic,
  drain,
  instancesOf,
  removeRevision,
  scaleRevision,
} from './revision-effects.ts';
import { baselineOf, type Stage, sharesOf } from './stage.ts';
import { together } from './together.ts';
import { untilDone } from './until-done.ts';
import type { WaitBoard } from './wait.ts';

/** Moves instances and traffic from the revision before to the new one, in the order of the target. */
export async function shiftTo(stage: Stage, target: ShiftTarget): Promise<void> {
  switch (target.order) {
    case 'up-first':
      await together(
        () => startInstances(stage, target.instances),
        () => startBaseline(stage, target.baseline),
      );
      await moveTraffic(stage, target.weight, target.baseline);
      await removeBaseline(stage, target.baseline);
      await keepBefore(stage, target.keep);
      return;
    case 'down-first':
      await leadBefore(stage, target.keep);
      await keepBefore(stage, target.keep);
      await startInstances(stage, target.instances);
      await moveTraffic(stage, target.weight, target.baseline);
      return;
    case 'at-once':
      await together(
        () => keepBefore(stage, target.keep),
        () => startInstances(stage, target.instances),
      );
      await moveTraffic(stage, target.weight, target.baseline);
  }
}

/** Brings the new revision to so many healthy instances. They get no traffic by this. */
export async function startInstances(stage: Stage, instances: number): Promise<void> {
  const { spec } = stage;
  if (instances === stage.instances) return;
  const exists = stage.instances > 0;
  await pass(stage, instancesOf(spec, instances));
  stage.instances = instances;
  if (!exists) await createRevision(change, spec, instances);
  await scaleRevision(change, spec, instances);
}

/**
 * Puts a share of the traffic on the new revision, the baseline's on that, and the rest on the revision before, verified
 * in every balancer. The activity first sees that the instances which shall carry it are up there, so capacity always
 * comes before weight.
 *
 * @param share percent
 */
export async function moveTraffic(stage: Stage, share: number, baseline: BaselineTarget | null = null): Promise<void> {
  const before = stage.baseline?.weight ?? 0;
  const wanted = baseline?.weight ?? 0;
  if (share === 0 && stage.share === 0 && wanted === before) return;
  await pass(stage, `Traffic of ${stage.facts.name}: ${share} % to ${stage.spec.revision}`);
  const moved = share !== stage.share || wanted !== before;
  stage.share = share;
  if (stage.baseline) stage.baseline = { ...stage.baseline, weight: wanted };
  await directTraffic(change, stage.spec, sharesOf(stage));
  if (moved) stage.sharedSince = new Date();
}

/** Fresh instances of the revision before, healthy and without traffic yet: the canary is as old as they are. */
async function startBaseline(stage: Stage, target: BaselineTarget | null): Promise<void> {
  const spec = baselineOf(stage);
  const now = stage.baseline?.instances ?? 0;
  if (!target || !spec || target.instances === now) return;
  await pass(stage, instancesOf(spec, target.instances));
  const exists = now > 0;
  stage.baseline = { weight: stage.baseline?.weight ?? 0, instances: target.instances };
  if (!exists) await createRevision(change, spec, target.instances);
  await scaleRevision(change, spec, target.instances);
}

/** Takes the baseline away where none is to be any more. It has no traffic by then. */
async function removeBaseline(stage: Stage, target: BaselineTarget | null): Promise<void> {
  const spec = baselineOf(stage);
  if (target || !stage.baseline || !spec) return;
  await pass(stage, `Remove ${spec.revision} of ${stage.service} in ${stage.facts.name}`);
  await removeRevision(change, spec);
  stage.baseline = null;
}

/** Where new instances serve already they take over from the old ones that are to go before new ones start. */
async function leadBefore(stage: Stage, keep: number): Promise<void> {
  const { instances, kept } = stage;
  if (instances === 0 || keep >= kept) return;
  await moveTraffic(stage, keep === 0 ? 100 : Math.floor((100 * instances) / (instances + keep)));
}

/** Lets so many instances of the revision before stay. A shift starts none of them again. */
async function keepBefore(stage: Stage, keep: number): Promise<void> {
  const { before, facts, service, share } = stage;
  const { current } = before;
  if (!current || keep >= stage.kept) return;
  await pass(stage, instancesOf(current.spec, keep));
  stage.kept = keep;
  if (share === 100) await drain(change, current.spec);
  await scaleRevision(change, current.spec, keep);
  // Weights are those of single instances: with fewer of them the revision's share would be smaller.
  if (share > 0 && share < 100) {
    await pass(stage, `Traffic of ${service} in ${facts.name} by the instances that are left`);
    await directTraffic(change, stage.spec, sharesOf(stage));
  }
}

async function pass(stage: Stage, effect: string): Promise<void> {
  await stage.gate.pass(stage.facts.name, effect);
  stage.touched = true;
}

/** Makes the new revision the one that the name, the configuration and autoscaling mean. */
export async function bindNames(stage: Stage): Promise<void> {
  await pass(stage, `Bind the names of ${stage.service} in ${stage.facts.name}`);
  await bind(change, stage.facts, stage.service, stage.bundle.configVersion, stage.bounds);
}

/**
 * Takes the revision before out of service: its last requests end, then its instances. The new revision serves
 * everything by then, so trouble with the old one is no reason to go back: it is tried until it works.
 */
export async function retireBefore(stage: Stage, board: WaitBoard): Promise<void> {
  const { current } = stage.before;
  if (!current) return;
  await pass(stage, `Remove ${current.revision} of ${stage.service} in ${stage.facts.name}`);
  await untilDone(board, `retiring ${current.revision} in ${stage.facts.name}`, () =>
    removeRevision(change, current.spec),
  );
}
