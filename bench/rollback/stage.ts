/** The local platform with one service in production, in two bundles of which the first serves, and its clients. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../../cli/api-client.ts';
import { serviceDnsName } from '../../domain/environment.ts';
import type { ReleaseView } from '../../domain/release.ts';
import { acceptedSchema, type Lane, laneSchema, type Order } from '../../domain/schemas/api.ts';
import { controlAnswerSchema } from '../../domain/schemas/controls.ts';
import { releaseSchema } from '../../domain/schemas/release.ts';
import { vetoSchema } from '../../domain/schemas/veto.ts';
import { eventually } from '../../local/demo/eventually.ts';
import { type Load, startLoad } from '../../local/demo/load.ts';
import { type Platform, startPlatform } from '../../local/platform/platform.ts';
import { createSampleRepository } from '../../local/sample/repository.ts';
import type { Change } from '../../local/sample/versions.ts';
import { type RunningRevision, revisionsOf } from './revisions.ts';

const SERVICE = 'sample';
const PRODUCTION = 'prod';
const REQUESTS_PER_SECOND = 60;
/** A release that builds on a machine that has other work too. */
const BUILT_WITHIN_SECONDS = 240;
const ENDED_WITHIN_SECONDS = 120;

/** Straight to production: all new instances up, all traffic at once, the old ones warm until a command. */
const WAY: readonly Change[] = [
  { find: '  fat:\n    instances: 1\n  uat:\n    instances: 1\n', put: '' },
  {
    find: 'tests:\n  contract:\n    dockerfile: test/contract/Dockerfile\n    environments: [fat, uat]\n    timeout: 1m\n',
    put: '',
  },
  {
    find: '  canary:\n    - instances: 1\n    - weight: 10%\n    - hold: 10s\n    - judge: errors\n    - weight: 50%\n',
    put: '  strategy: blue-green\n',
  },
  { find: 'bake: 5s', put: 'bake: 1h' },
  { find: 'approvals: { count: 1, expires: 10m }', put: 'approvals: { count: 0 }' },
  { find: 'scale: { min: 3, max: 6, requestsPerSecondPerInstance: 22, downAfter: 10s }\n', put: '' },
];

export interface Stage {
  readonly platform: Platform;
  readonly clients: Load;
  /** What Slipway knows of the service in production. */
  lane(): Promise<Lane>;
  /** The service's revisions in production, the oldest first. */
  revisions(): Promise<readonly RunningRevision[]>;
  /** Releases the newer of two bundles; the other one serves before. @returns the release, once it bakes */
  releaseNewer(key: string): Promise<ReleaseView>;
  /** Ends the bake of a release. @returns the release, once it has ended */
  endBake(key: string): Promise<ReleaseView>;
  /** Orders a rollback. @returns the release that carries it out, once it has ended, and when the order was sent */
  rollBack(key: string): Promise<{ readonly view: ReleaseView; readonly orderedAt: number }>;
  /** Lets the newer bundle come again. */
  liftVeto(): Promise<void>;
}

/** Sets the stage, has the work done on it, and leaves nothing of it. */
export async function onStage<T>(work: (stage: Stage) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const ends: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  try {
    return await work(await setStage(dir, ends));
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** @param ends what is to be called in the end, the last one first */
async function setStage(dir: string, ends: (() => Promise<unknown>)[]): Promise<Stage> {
  const sample = await createSampleRepository(join(dir, 'sample.git'), { nodeVersion: process.versions.node });
  const first = await sample.push('first', { 'slipway.yaml': WAY });
  const second = await sample.push('good', { 'slipway.yaml': WAY });
  const platform = await startPlatform({
    dir: join(dir, 'platform'),
    log: (line) => process.stdout.write(`${line}\n`),
    services: { [SERVICE]: { repository: `file://${sample.path}`, branch: 'main' } },
  });
  ends.push(() => platform.stop());
  const { urls, secrets } = platform;
  const api = new ApiClient({
    url: urls.api,
    token: secrets.tokens['ann'] ?? '',
    language: 'en',
    interrupted: new AbortController().signal,
  });
  const post = { method: 'POST' } as const;
  const look = (key: string) => api.call(`/v1/releases/${SERVICE}/${key}`, releaseSchema);
  const start = (key: string, order: Omit<Order, 'whenBusy' | 'service'>) =>
    api.call('/v1/releases', acceptedSchema, { ...post, key, body: { service: SERVICE, ...order } });
  const ended = (key: string) =>
    eventually(
      `${key} to end`,
      ENDED_WITHIN_SECONDS,
      () => look(key),
      ({ outcome }) => outcome !== undefined,
    );
  const baking = async (key: string, within = ENDED_WITHIN_SECONDS) => {
    const view = await eventually(
      `${key} to bake`,
      within,
      () => look(key),
      ({ outcome, wait }) => outcome !== undefined || wait?.reason === 'bake',
    );
    expectOutcome(view, undefined);
    return view;
  };
  const endBake = async (key: string) => {
    const word = { ...post, body: { reason: 'seen enough' } };
    await api.call(`/v1/releases/${SERVICE}/${key}/skip-hold`, controlAnswerSchema, word);
    return ended(key);
  };
  const rollBack = async (key: string) => {
    const orderedAt = Date.now();
    const order = { ...post, body: { reason: 'a bench' } };
    const { id } = await api.call(`/v1/releases/${SERVICE}/${key}/rollback`, acceptedSchema, order);
    return { view: await ended(id.replace(`release/${SERVICE}/`, '')), orderedAt };
  };

  await start('first', { ref: first });
  await baking('first', BUILT_WITHIN_SECONDS);
  expectOutcome(await endBake('first'), 'released');
  const frontend = new URL(urls.frontends[PRODUCTION] ?? '');
  const target = {
    address: frontend.hostname,
    port: Number(frontend.port),
    host: serviceDnsName(PRODUCTION, SERVICE),
  };
  await start('second', { ref: second });
  const { bundle: newer } = await baking('second', BUILT_WITHIN_SECONDS);
  if (newer === undefined) throw new Error('the second version was not built');
  const clients = await startLoad(target, REQUESTS_PER_SECOND);
  ends.push(() => clients.end());
  const liftVeto = async () => {
    const path = `/v1/lanes/${PRODUCTION}/${SERVICE}/vetoes/${newer.id}/lift`;
    await api.call(path, vetoSchema, { ...post, body: { reason: 'the next round' } });
  };
  expectOutcome((await rollBack('second')).view, 'rolled-back');
  await liftVeto();
  return {
    platform,
    clients,
    lane: () => api.call(`/v1/lanes/${PRODUCTION}/${SERVICE}`, laneSchema),
    revisions: () => revisionsOf(urls.marathon, PRODUCTION, SERVICE),
    releaseNewer: async (key) => {
      await start(key, { bundle: newer });
      return baking(key);
    },
    endBake,
    rollBack,
    liftVeto,
  };
}

/** @throws {Error} that says how it ended instead */
export function expectOutcome(view: ReleaseView, outcome: ReleaseView['outcome']): void {
  if (view.outcome === outcome) return;
  throw new Error(`${view.id} is ${view.outcome ?? 'under way'}, not ${outcome}: ${JSON.stringify(view.failure)}`);
}
