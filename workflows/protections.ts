import { isCancellation } from '@temporalio/workflow';
import type { EnvironmentActivities } from '../activities/environments/activities.ts';
import type { GitActivities } from '../activities/git/activities.ts';
import type { LaneActivities } from '../activities/lane/activities.ts';
import type { MarathonActivities } from '../activities/marathon/activities.ts';
import type { RetentionRules } from '../activities/registry/retention.ts';
import type { RunningReleaseActivities } from '../activities/temporal/running-releases.ts';
import type { Bundle } from '../domain/bundle.ts';
import { buildMark, serviceRepository, testRepository } from '../domain/image-tag.ts';
import type { RevisionRecord } from '../domain/lane.ts';
import type { ProtectedBuild, Protection } from '../domain/retention/plan.ts';
import { revisionApp } from '../domain/revision-app.ts';
import { buildWorkflowId } from './contract.ts';
import { failureFrom } from './failure.ts';
import { activities, change, READ } from './options.ts';

export interface ScopedRepository {
  readonly repository: string;
  /** Whose it is. */
  readonly service: string;
  readonly keepReleases: number;
}

/** What a collection looks at. */
export interface GarbageScope {
  readonly services: readonly string[];
  readonly repositories: readonly ScopedRepository[];
  readonly skipped: readonly { readonly service: string; readonly because: string }[];
}

/** What must stay, whatever its tags say. */
export interface Protections {
  readonly protections: readonly Protection[];
  readonly protectedBuilds: readonly ProtectedBuild[];
  /** Services of which it is not known yet what they need: nothing of theirs may go now. */
  readonly unsure: readonly string[];
}

/**
 * The repositories of the services, with how many releases each keeps by the manifest on its branch. A service whose
 * manifest can't be read is skipped: without its rule nothing of it is deleted.
 *
 * @param wanted names of services; empty for all
 */
export async function readScope(wanted: readonly string[], rules: RetentionRules): Promise<GarbageScope> {
  const repositories: ScopedRepository[] = [];
  const services: string[] = [];
  const skipped: { service: string; because: string }[] = [];
  const known = rules.services.filter(({ service }) => wanted.length === 0 || wanted.includes(service));
  for (const service of wanted) {
    if (!known.some((one) => one.service === service)) skipped.push({ service, because: 'it is not configured' });
  }
  for (const { service, branch } of known) {
    const git = activities<GitActivities>(change(300), `How many releases of ${service} are kept`);
    try {
      const { commit } = await git.resolveCommit({ service, ref: branch });
      const { manifest } = await git.readManifest({ service, commit });
      const { keepReleases } = manifest.retention;
      const names = [serviceRepository(service), ...manifest.tests.map(({ name }) => testRepository(service, name))];
      repositories.push(...names.map((repository) => ({ repository, service, keepReleases })));
      services.push(service);
    } catch (error) {
      const failure = isCancellation(error) ? undefined : failureFrom(error);
      if (failure === undefined) throw error;
      skipped.push({ service, because: failure.message });
    }
  }
  return { services, repositories, skipped };
}

const isOther = (one: RevisionRecord) => (other: RevisionRecord) => other.bundle.id !== one.bundle.id;

/**
 * Everything that runs, could be rolled back to, or is on its way. Of what can be gone back to, as many bundles in each
 * environment as the manifest keeps releases. Fails when any of the systems that know can't be
 * asked: a collection must not take silence for "needs nothing".
 */
export async function readProtections({ services, repositories }: GarbageScope): Promise<Protections> {
  const environments = await activities<EnvironmentActivities>(
    READ,
    'Which environments are configured',
  ).readEnvironments();
  const names = environments.map(({ name }) => name);
  const protections: Protection[] = [];
  const protect = (bundle: Bundle, reason: string) => {
    for (const image of [bundle.image, ...Object.values(bundle.testImages)])
      protections.push({ digest: image.digest, reason });
  };
  const protectRecord = ({ bundle, spec }: RevisionRecord, reason: string) => {
    protect(bundle, reason);
    // An image that was put in by hand, and adopted, is another one than the bundle's.
    const digest = spec.edited === undefined ? undefined : revisionApp(spec).container.docker.image.split('@')[1];
    if (digest !== undefined) protections.push({ digest, reason });
  };
  for (const service of services) {
    const keepReleases = repositories.find((repository) => repository.service === service)?.keepReleases ?? 1;
    const marathon = activities<MarathonActivities>(READ, `What runs of ${service}`);
    for (const environment of names) {
      for (const { image, revision } of await marathon.listRevisions({ environment, service })) {
        const digest = image?.split('@')[1];
        if (digest !== undefined) protections.push({ digest, reason: `${revision} in ${environment} runs it` });
      }
    }
    const lanes = await activities<LaneActivities>(READ, `What ${service} could go back to`).readLanes({
      service,
      environments: names,
    });
    for (const { state } of lanes) {
      const { current, previous, earlier = [], environment } = state;
      if (current !== undefined) protectRecord(current, `${current.revision} is current in ${environment}`);
      // The revision before always stays; further back goes who keeps more releases.
      const back = previous === undefined ? earlier : [previous, ...earlier.filter(isOther(previous))];
      for (const record of back.slice(0, keepReleases)) {
        protectRecord(record, `${environment} can go back to it, as ${record.revision}`);
      }
    }
  }
  const releases = await activities<RunningReleaseActivities>(READ, 'Which releases run').listRunningReleases();
  return {
    protections: [
      ...protections,
      ...releases.flatMap(({ id, images }) => images.map(({ digest }) => ({ digest, reason: `${id} is on its way` }))),
    ],
    protectedBuilds: releases.map(({ id, service, key }) => ({
      build: buildMark(buildWorkflowId(service, key)),
      reason: `${id} is on its way`,
    })),
    unsure: releases.filter(({ prepared }) => !prepared).map(({ service }) => service),
  };
}
