import type { ConsulActivities } from '../activities/consul/activities.ts';
import { counted } from '../domain/counted.ts';
import { toleratesTraffic } from '../domain/drift.ts';
import type { BaselineTarget, ShiftTarget } from '../domain/plan.ts';
import { OPEN_GATE } from './gate.ts';
import { activities, change, READ } from './options.ts';
import {
  bind,
  directTraffic,
  drain,
  instancesOf,
  type Left,
  removeRevision,
  scaleRevision,
  startingOf,
  startRevisions,
  type Wanted,
} from './revision-effects.ts';
import { baselineOf, configKnown, expectedInStage, type Stage, sharesOf } from './stage.ts';
import { together } from './together.ts';
import { untilDone } from './until-done.ts';
import type { WaitBoard } from './wait.ts';

/** Moves instances and traffic from the revision before to the new one, in the order of the target. */
export async function shiftTo(stage: Stage, target: ShiftTarget): Promise<void> {
  stage.order = target.order;
  switch (target.order) {
    case 'up-first':
      await startInstances(stage, target.instances, target.baseline);
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

/**
 * Brings the new revision to so many healthy instances, and the baseline to as many as it is to have: side by side, so
 * that canary and baseline are equally old. They get no traffic by this.
 */
export async function startInstances(
  stage: Stage,
  instances: number,
  baseline: BaselineTarget | null = null,
): Promise<void> {
  const fresh = baseline && baselineOf(stage);
  const wanted: Wanted[] = instances === stage.instances ? [] : [{ spec: stage.spec, instances }];
  if (fresh && baseline.instances !== stage.baseline?.instances) {
    wanted.push({ spec: fresh, instances: baseline.instances });
  }
  if (wanted.length === 0) return;
  stage.instances = instances;
  if (fresh) stage.baseline = { weight: stage.baseline?.weight ?? 0, instances: baseline.instances };
  await effect(stage, startingOf(wanted), () => startRevisions(change, wanted));
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
  const moved = share !== stage.share || wanted !== before;
  const on = `${share} % to ${stage.spec.revision} on ${counted(stage.instances, 'instance')}`;
  await effect(stage, `Traffic of ${stage.facts.name}: ${on}`, async () => {
    const options = leftIn(stage);
    stage.share = share;
    if (stage.baseline) stage.baseline = { ...stage.baseline, weight: wanted };
    await directTraffic(change, stage.spec, sharesOf(stage), options);
    if (moved) stage.sharedSince = new Date();
  });
}

/** Takes the baseline away where none is to be any more. It has no traffic by then. */
async function removeBaseline(stage: Stage, target: BaselineTarget | null): Promise<void> {
  const spec = baselineOf(stage);
  if (target || !stage.baseline || !spec) return;
  await effect(stage, `Remove ${spec.revision} of ${stage.service} in ${stage.facts.name}`, () =>
    removeRevision(change, spec),
  );
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
  if (share === 100) {
    await effect(stage, `The last requests of ${current.revision} end`, () => drain(change, current.spec));
  }
  await effect(stage, instancesOf(current.spec, keep), () => {
    stage.kept = keep;
    return scaleRevision(change, current.spec, keep);
  });
  // Weights are those of single instances: with fewer of them the revision's share would be smaller.
  if (share > 0 && share < 100) {
    await effect(stage, `Traffic of ${service} in ${facts.name} by the instances that are left`, () =>
      directTraffic(change, stage.spec, sharesOf(stage), leftIn(stage)),
    );
  }
}

/** What an effect is to find there. A way back takes whatever it finds; where nothing served, nothing is known of it. */
function leftIn(stage: Stage): { readonly left?: Left } {
  const { before, gate } = stage;
  if (gate === OPEN_GATE || !before.current) return {};
  const weights = toleratesTraffic(before.tolerated ?? []) ? undefined : expectedInStage(stage).weights;
  return { left: { bounds: before.bounds ?? null, weights } };
}

/**
 * One forward effect: it passes the gate right before it begins, and once it is completed it is not done again, however
 * often its step is tried.
 *
 * @param what names it in its step, and in the Temporal UI
 */
async function effect(stage: Stage, what: string, work: () => Promise<void>): Promise<void> {
  if (stage.completed.has(what)) return;
  await stage.gate.pass(stage.facts.name, what);
  stage.touched = true;
  await work();
  stage.completed.add(what);
}

/** Makes the new revision the one that the name, the configuration and autoscaling mean. */
export async function bindNames(stage: Stage): Promise<void> {
  const { bounds, bundle, facts, service } = stage;
  const config = { from: configKnown(stage), to: bundle.configVersion };
  await effect(stage, `Bind the names of ${service} in ${facts.name}`, async () => {
    if (config.from === 0 && config.to > 0) stage.configBefore ??= await configNow(stage);
    await bind(change, facts, service, config, bounds, leftIn(stage).left);
  });
}

/** The version that is current although the lane knows of none: somebody may have pointed to it by hand. */
async function configNow({ facts, service }: Stage): Promise<number> {
  const read = activities<ConsulActivities>(READ, `Current config version in ${facts.name}`);
  return (await read.resolveConfig({ environment: facts.name, service }))?.version ?? 0;
}

/**
 * Takes the revision before out of service: its last requests end, then its instances. The new revision serves
 * everything by then, so trouble with the old one is no reason to go back: it is tried until it works.
 */
export async function retireBefore(stage: Stage, board: WaitBoard): Promise<void> {
  const { current } = stage.before;
  if (!current) return;
  await untilDone(board, `retiring ${current.revision} in ${stage.facts.name}`, () =>
    effect(stage, `Remove ${current.revision} of ${stage.service} in ${stage.facts.name}`, () =>
      removeRevision(change, current.spec),
    ),
  );
}
