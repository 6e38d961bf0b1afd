import { ApplicationFailure, type Duration } from '@temporalio/common';
import {
  createDriftActivities,
  type DriftActivities,
  type DriftWatchInput,
} from '../../activities/drift/activities.ts';
import { editedFields } from '../../activities/marathon/stored-definition.ts';
import type { Expected } from '../../domain/drift.ts';
import type { ScaleBounds } from '../../domain/lane.ts';
import { type RevisionApp, revisionApp } from '../../domain/revision-app.ts';
import { serverWeights } from '../../domain/traffic.ts';

/** What a look sees, by the service's path or the app's id. */
interface Looked {
  readonly apps: ReadonlyMap<string, { readonly app: RevisionApp; readonly instances: number }>;
  /** How many instances of an app are not healthy. */
  readonly ill: ReadonlyMap<string, number>;
  readonly traffic: ReadonlyMap<string, Readonly<Record<string, number>>>;
  readonly config: ReadonlyMap<string, number>;
  readonly bounds: ReadonlyMap<string, ScaleBounds>;
  readonly looksEvery: Duration;
}

/** The looks for hand-made changes and at health, with the memory's answers in the place of the systems'. */
export function looksAt(world: Looked): DriftActivities {
  return {
    async watchDrift(input: DriftWatchInput) {
      try {
        return await looks(world, input.expected).watchDrift(input);
      } catch (error) {
        if (!(error instanceof ApplicationFailure) || error.type !== 'NothingNew') throw error;
        // Between two looks the server's clock may jump, as it may not while an activity runs.
        throw ApplicationFailure.create({ message: error.message, nextRetryDelay: world.looksEvery });
      }
    },
    findDrift: (input) => looks(world, input.expected).findDrift(input),
  };
}

function looks(world: Looked, { environment, revisions, service }: Expected): DriftActivities {
  const apps = [...world.apps.values()]
    .filter(({ app }) => app.id.startsWith(`/${environment}/${service}/`))
    .map(({ app, instances }) => {
      const known = revisions.find(({ spec }) => app.id === `/${environment}/${service}/${spec.revision}`);
      const edited = known ? editedFields(revisionApp(known.spec), app) : [];
      return { appId: app.id, instances, healthy: instances - (world.ill.get(app.id) ?? 0), edited };
    });
  const where = `${environment}/${service}`;
  const shares = world.traffic.get(where);
  // A document's weights are those for the servers that were there when it was written.
  const servers = Object.fromEntries([
    ...apps.map(({ appId }) => [appId.split('/')[3], 1]),
    ...revisions.map(({ spec, instances }) => [spec.revision, instances]),
  ]);
  const weights = shares === undefined ? {} : serverWeights(shares, servers).weights;
  return createDriftActivities(
    {
      apps: async () => apps,
      traffic: async () => ({ traffic: shares === undefined ? null : { shares, weights }, servers: [] }),
      places: async () => ({ configVersion: world.config.get(where) ?? 0, bounds: world.bounds.get(where) ?? null }),
      instances: async ({ appId }) => `${world.ill.get(appId)} have a red check`,
    },
    { secondLookMs: 1 },
  );
}
