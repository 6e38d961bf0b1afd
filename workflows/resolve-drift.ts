/** What an adoption and a reversal of hand-made changes do outside. Both may be repeated after any failure. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { BalancerActivities } from '../activities/balancer/activities.ts';
import type { ConsulActivities } from '../activities/consul/activities.ts';
import type { MarathonActivities } from '../activities/marathon/activities.ts';
import type { Difference, Expected } from '../domain/drift.ts';
import { adopted, type Correction, corrections, type Edits, fieldsToRead } from '../domain/drift-resolution.ts';
import { revisionAppId, revisionName } from '../domain/environment.ts';
import { FailureType } from '../domain/failures.ts';
import type { LaneState } from '../domain/lane.ts';
import { activities, change, READ } from './options.ts';
import { createRevision, directTraffic, removeRevision, scaleRevision } from './revision-effects.ts';
import { highestRevision } from './revisions.ts';

/** Reads what an adoption needs of edited apps: their fields as they are. */
async function readEdits(
  { environment, service }: Pick<LaneState, 'environment' | 'service'>,
  found: readonly Difference[],
): Promise<Edits> {
  const edits: Record<string, Readonly<Record<string, unknown>>> = {};
  for (const { fields, revision } of fieldsToRead(found)) {
    const marathon = activities<MarathonActivities>(READ, `How ${revision} was edited: ${fields.join(', ')}`);
    const appId = revisionAppId(environment, service, revision);
    edits[revision] = await marathon.readAppFields({ environment, appId, fields });
  }
  return edits;
}

/** What the lane knows once it has taken over what was found. */
export async function adoptFound(state: LaneState, found: readonly Difference[]): Promise<LaneState> {
  return adopted(state, found, await readEdits(state, found));
}

/** Puts back what was found. @returns what the lane knows then: an edited revision has given way to a fresh one */
export async function revertFound(
  state: LaneState,
  expected: Expected,
  found: readonly Difference[],
): Promise<LaneState> {
  let after = state;
  for (const correction of corrections(expected, found)) {
    if (correction.kind === 'replace') after = await replaceEdited(after);
    else await correct(expected, correction);
  }
  return after;
}

/** Does one correction outside. */
export async function correct(expected: Expected, correction: Exclude<Correction, { kind: 'replace' }>): Promise<void> {
  const { environment, service } = expected;
  const where = { environment, service };
  switch (correction.kind) {
    case 'create': {
      const spec = specOf(expected, correction.revision);
      await createRevision(change, spec, correction.instances);
      return scaleRevision(change, spec, correction.instances);
    }
    case 'scale':
      return scaleRevision(change, specOf(expected, correction.revision), correction.instances);
    case 'traffic':
      return directAsExpected(expected);
    case 'config': {
      const { version } = correction;
      const consul = activities<ConsulActivities>(change(30), `Config version ${version} is current again`);
      await consul.pointConfig({ ...where, version });
      return;
    }
    case 'bounds': {
      const consul = activities<ConsulActivities>(change(30), `The scale bounds of ${service} as they were`);
      return consul.writeScaleBounds({ ...where, bounds: correction.bounds });
    }
    case 'remove': {
      const revision = correction.app.split('/').slice(3).join('/');
      return removeRevision(change, { ...where, revision });
    }
  }
}

async function directAsExpected(expected: Expected): Promise<void> {
  const { environment, revisions, service, weights } = expected;
  const parts = Object.entries(weights)
    .filter(([, share]) => share > 0)
    .map(([revision, share]) => {
      const instances = revisions.find(({ spec }) => spec.revision === revision)?.instances ?? 1;
      return { revision, share, instances };
    });
  const [first] = revisions;
  if (first && parts.length > 0) return directTraffic(change, first.spec, parts);
  const balancer = activities<BalancerActivities>(change(30), `Take ${service} out of the balancer of ${environment}`);
  return balancer.removeTraffic({ environment, service });
}

/** Apps are never edited, also not back: the bundle goes out as a fresh revision, which takes the traffic. */
async function replaceEdited(state: LaneState): Promise<LaneState> {
  const { current } = state;
  if (!current) return state;
  const number = (await highestRevision(state)) + 1;
  const spec = { ...current.spec, revision: revisionName(number) };
  const { instances } = current;
  await createRevision(change, spec, instances);
  await scaleRevision(change, spec, instances);
  await directTraffic(change, spec, [{ revision: spec.revision, share: 100, instances }]);
  await removeRevision(change, current.spec);
  return {
    ...state,
    lastRevision: number,
    current: { ...current, revision: spec.revision, spec },
    weights: { [spec.revision]: 100 },
  };
}

function specOf({ revisions }: Expected, revision: string): Expected['revisions'][number]['spec'] {
  const found = revisions.find(({ spec }) => spec.revision === revision);
  if (found) return found.spec;
  throw ApplicationFailure.nonRetryable(`${revision} is not known`, FailureType.Internal);
}
