import {
  CancellationScope,
  ParentClosePolicy,
  setCurrentDetails,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { RegistryActivities } from '../activities/registry/activities.ts';
import type { MaintenanceActivities } from '../activities/registry/maintenance.ts';
import type { RetentionActivities, RetentionRules } from '../activities/registry/retention.ts';
import type { RepositoryObservation } from '../domain/retention/observation.ts';
import { type Deletion, type Keeping, planRetention, type RetentionPlan } from '../domain/retention/plan.ts';
import { type CollectGarbageInput, collectedSignal, hostTaskQueue, WorkflowType } from './contract.ts';
import { type keepWritable, MODE_SECONDS, makeReadWrite } from './keep-writable.ts';
import { activities, change, READ } from './options.ts';
import { type GarbageScope, readProtections, readScope } from './protections.ts';

/** Longest time for one collection: 2,000 tags take seconds, a large store on slow disks may take an hour. */
const COLLECT_SECONDS = 3600;
/** Deleting by digest takes some 65 ms each in a repository of 2,000 tags, reading one 10 ms. */
const DELETE_SECONDS = 900;
const OBSERVE_SECONDS = 300;

/** What a collection did; in a dry run, what it would do. */
export interface CollectGarbageResult {
  readonly dryRun: boolean;
  readonly tagsDeleted: number;
  readonly digestsDeleted: number;
  readonly bytesReclaimed: number;
  /** `storage`: the registry's directory, measured before and after; `layers`: sizes of what nothing names any more. */
  readonly bytesMeasuredBy: 'storage' | 'layers';
  readonly deleted: readonly InRepository<Deletion>[];
  readonly kept: readonly InRepository<Keeping>[];
  /** Services that were left alone whole, and why. */
  readonly skipped: readonly { readonly service: string; readonly because: string }[];
}

type InRepository<T> = T & { readonly repository: string };

/**
 * Deletes the images that no rule keeps and nothing needs, then lets the registry collect its garbage while it is
 * read-only. Whatever happens on the way the registry ends read-write; a run begins by making sure of it, too, for a
 * run before that was terminated.
 *
 * @throws ActivityFailure when the registry, or anything that knows what is needed, can't be asked: then nothing goes
 */
export async function collectGarbage(input: CollectGarbageInput): Promise<CollectGarbageResult> {
  const { dryRun } = input;
  const rules = await activities<RetentionActivities>(READ, 'What is configured for retention').readRetentionRules();
  if (!dryRun) await makeReadWrite(rules.host, { onlyIfNeeded: true });

  setCurrentDetails('Reading what the registry holds and what needs it.');
  const scope = await readScope(input.services, rules);
  const observations = await observe(scope);
  const now = new Date(Date.now()).toISOString();
  const planned = await plan(scope, observations, rules, now);
  const { skipped } = scope;
  if (dryRun) {
    const bytesReclaimed = await bytesOfLayers(planned);
    return { ...report(planned, deletions(planned)), dryRun, skipped, bytesReclaimed, bytesMeasuredBy: 'layers' };
  }

  // Asked again right before the deletions: meanwhile a release may have begun that needs what was planned to go.
  const checked = await plan(scope, observations, rules, now);
  const plans = checked.map((one, index) => ({ ...one, delete: inBoth(one.delete, planned[index]?.delete ?? []) }));
  const layers = await bytesOfLayers(plans);
  const deleted = await deletePlanned(plans);
  const storage = deleted.length === 0 ? undefined : await collect(rules.host);
  return {
    ...report(plans, deleted),
    dryRun,
    skipped,
    bytesReclaimed: deleted.length === 0 ? 0 : (storage ?? layers),
    bytesMeasuredBy: storage === undefined ? 'layers' : 'storage',
  };
}

async function observe(scope: GarbageScope): Promise<RepositoryObservation[]> {
  const registry = activities<RegistryActivities>(change(OBSERVE_SECONDS), 'What the registry holds');
  const observations: RepositoryObservation[] = [];
  for (const { repository } of scope.repositories) observations.push(await registry.observeRepository({ repository }));
  return observations;
}

/** Plans every repository, with what is protected now. */
async function plan(
  scope: GarbageScope,
  observations: readonly RepositoryObservation[],
  rules: RetentionRules,
  now: string,
): Promise<RetentionPlan[]> {
  const { protections, protectedBuilds, unsure } = await readProtections(scope);
  return observations.flatMap((observation) => {
    const owner = scope.repositories.find(({ repository }) => repository === observation.repository);
    if (owner === undefined) return [];
    const { keepReleases, service } = owner;
    const policy = { keepReleases, graceSeconds: rules.graceSeconds, now };
    const waits = unsure.includes(service)
      ? observation.digests.map(({ digest }) => ({ digest, reason: `a release of ${service} is being prepared` }))
      : [];
    return [planRetention({ observation, protections: [...protections, ...waits], protectedBuilds, policy })];
  });
}

function inBoth(deletions: readonly Deletion[], others: readonly Deletion[]): Deletion[] {
  const digests = new Set(others.map(({ digest }) => digest));
  return deletions.filter(({ digest }) => digests.has(digest));
}

function deletions(plans: readonly RetentionPlan[]): InRepository<Deletion>[] {
  return plans.flatMap((one) => one.delete.map((deletion) => ({ repository: one.repository, ...deletion })));
}

function report(plans: readonly RetentionPlan[], deleted: readonly InRepository<Deletion>[]) {
  return {
    tagsDeleted: deleted.reduce((sum, { tags }) => sum + tags.length, 0),
    digestsDeleted: deleted.length,
    deleted,
    kept: plans.flatMap((one) => one.keep.map((keeping) => ({ repository: one.repository, ...keeping }))),
  };
}

/** What the registry should win, by the sizes it tells; asked before anything is deleted. */
async function bytesOfLayers(plans: readonly RetentionPlan[]): Promise<number> {
  if (deletions(plans).length === 0) return 0;
  return activities<RegistryActivities>(change(OBSERVE_SECONDS), 'What the deletions would win').exclusiveBytes({
    repositories: plans.map((one) => ({ repository: one.repository, digests: one.delete.map(({ digest }) => digest) })),
  });
}

/** Deletes what is planned, and returns what is really gone. */
async function deletePlanned(plans: readonly RetentionPlan[]): Promise<InRepository<Deletion>[]> {
  const gone: InRepository<Deletion>[] = [];
  for (const { repository, delete: planned } of plans) {
    if (planned.length === 0) continue;
    setCurrentDetails(`Deleting ${planned.length} images of ${repository}.`);
    const summary = `Delete ${planned.length} images of ${repository}`;
    const { deleted } = await activities<RegistryActivities>(change(DELETE_SECONDS), summary).deleteDigests({
      repository,
      deletions: planned.map(({ digest, tags }) => ({ digest, tags })),
    });
    const digests = new Set(deleted.map(({ digest }) => digest));
    gone.push(...planned.filter(({ digest }) => digests.has(digest)).map((one) => ({ repository, ...one })));
  }
  return gone;
}

/** The registry's own collection. Returns the bytes its storage lost; undefined where they can't be measured. */
async function collect(host: string): Promise<number | undefined> {
  const maintenance = (summary: string, seconds: number) =>
    activities<MaintenanceActivities>({ ...change(seconds), taskQueue: hostTaskQueue(host) }, summary);
  // Started first: whatever becomes of this run, its termination included, the registry ends read-write.
  const guard = await CancellationScope.nonCancellable(() =>
    startChild<typeof keepWritable>(WorkflowType.KeepWritable, {
      workflowId: `keep-writable/${workflowInfo().runId}`,
      args: [{ host, collection: workflowInfo().workflowId }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: 'The registry ends read-write',
      staticDetails: `Outlives ${workflowInfo().workflowId}, whatever becomes of it, until the registry takes pushes again.`,
    }),
  );
  try {
    setCurrentDetails('The registry is read-only while it collects its garbage; pushes wait.');
    await maintenance('Make the registry read-only', MODE_SECONDS).makeRegistryReadOnly();
    const before = await maintenance('Bytes of the registry before', OBSERVE_SECONDS).measureRegistryStorage();
    await maintenance('Collect the garbage', COLLECT_SECONDS).collectRegistryGarbage({
      timeoutSeconds: COLLECT_SECONDS,
    });
    const after = await maintenance('Bytes of the registry after', OBSERVE_SECONDS).measureRegistryStorage();
    if (before.bytes === undefined || after.bytes === undefined) return undefined;
    return Math.max(0, before.bytes - after.bytes);
  } finally {
    await CancellationScope.nonCancellable(async () => {
      await guard.signal(collectedSignal);
      await guard.result();
    });
    setCurrentDetails('The registry takes pushes again.');
  }
}
