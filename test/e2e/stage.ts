import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { serviceDnsName } from '../../domain/environment.ts';
import type { ReleaseView } from '../../domain/release.ts';
import { releaseSchema } from '../../domain/schemas/release.ts';
import { type ChatRoom, type Notice, openChatRoom } from '../../local/demo/chat-room.ts';
import { type Load, startLoad } from '../../local/demo/load.ts';
import { type SlipwayClient, slipwayClient } from '../../local/demo/slipway-client.ts';
import { type Platform, startPlatform } from '../../local/platform/platform.ts';
import { until } from '../../local/platform/until.ts';
import { createSampleRepository } from '../../local/sample/repository.ts';
import { connectTemporal } from '../temporal-connection.ts';
import { type Slipway, slipwayCommand } from './command.ts';
import { type DocumentedApi, documentedApi } from './documented-api.ts';
import { SAMPLE, SAMPLE_CHANGES, SHOP, SHOP_LONG_BAKE, SHOP_LONG_CANARY, shopGuarded } from './services.ts';
import { type World, worldOf } from './world.ts';

/** The platform with two services in their repositories, and every door that a user has. */
export interface Stage {
  readonly platform: Platform;
  /** The command, with the token of ann. */
  readonly slipway: Slipway;
  /** Variables that make the command speak with bob's token. */
  readonly bob: { readonly SLIPWAY_TOKEN: string };
  /** The same for cleo. */
  readonly cleo: { readonly SLIPWAY_TOKEN: string };
  readonly api: DocumentedApi;
  /** What GitLab and others send. */
  readonly pushes: SlipwayClient;
  readonly chat: ChatRoom;
  /** What was heard in the chat room so far. */
  readonly notices: readonly Notice[];
  readonly temporal: Client;
  readonly commits: Commits;
  /** A release as the API tells it. */
  look(release: string): Promise<ReleaseView>;
  /** Looks at a release until it is as wanted. @throws {Error} that says how it is, when it is not so in time */
  releaseUntil(release: string, what: string, wanted: (view: ReleaseView) => boolean): Promise<ReleaseView>;
  world(service: string): Promise<World>;
  /** What the outside systems say of a service once a check, which throws until then, is content with it. */
  worldWhen(service: string, what: string, check: (seen: World) => void): Promise<World>;
  /** Clients of a service in production. */
  clientsOf(service: string, requestsPerSecond: number): Promise<Load>;
  /** A file with this text, for commands that read one. @returns its path */
  file(name: string, text: string): string;
  close(): Promise<void>;
}

export interface Commits {
  readonly sample: Readonly<Record<'unbuildable' | 'misdescribed' | 'first' | 'good', string>>;
  readonly shop: Readonly<Record<'first' | 'warm' | 'watched' | 'guarded', string>>;
}

/** Longest time for one step of a release on a machine that has other work too. */
const STEP_WITHIN_MS = 240_000;
/** Longest time until the outside systems have caught up with what was done, an instance begun anew included. */
const SETTLED_WITHIN_MS = 180_000;
/** The schedule must not run by itself in a test; what was just pushed may go. */
const COLLECT_GARBAGE = { everySeconds: 365 * 86_400, graceSeconds: 1 };

/** Sets the stage in a directory of its own; nothing of it is left after `close()`. */
export async function openStage(): Promise<Stage> {
  const dir = mkdtempSync(join(tmpdir(), 'slipway-e2e-'));
  const ends: (() => unknown)[] = [() => rmSync(dir, { recursive: true })];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    return { ...(await setStage(dir, ends)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param ends what is to be called in the end, the last one first */
async function setStage(dir: string, ends: (() => unknown)[]): Promise<Omit<Stage, 'close'>> {
  const { commits, repositories } = await pushAll(dir);
  const notices: Notice[] = [];
  const started: { platform?: Platform } = {};
  const running = (): Platform => {
    if (started.platform === undefined) throw new Error('the platform does not run yet');
    return started.platform;
  };
  const chat = await openChatRoom({
    slipway: () => `${running().urls.api}/v1/chat`,
    secrets: () => running().secrets,
    heard: (notice) => notices.push(notice),
  });
  ends.push(() => chat.close());
  const platform = await startPlatform({
    dir: join(dir, 'platform'),
    log: () => {},
    services: Object.fromEntries(
      Object.entries(repositories).map(([service, repository]) => [service, { repository, branch: 'main' }]),
    ),
    people: ['ann', 'bob', 'cleo'],
    chatOutboundUrls: [chat.url],
    schedules: { autoscale: { everySeconds: 5, windowSeconds: 5 }, collectGarbage: COLLECT_GARBAGE },
  });
  started.platform = platform;
  ends.push(() => platform.stop());

  const { address, namespace } = platform.systems.temporal;
  const { connection, close } = await connectTemporal(address);
  ends.push(close);
  const { ann = '', bob = '', cleo = '' } = platform.secrets.tokens;
  const slipway = slipwayCommand({
    SLIPWAY_API: platform.urls.api,
    SLIPWAY_TOKEN: ann,
    SLIPWAY_CONFIG: platform.configurationFile,
  });
  ends.push(() => slipway.close());
  const api = await documentedApi(platform.urls.api);
  const look = async (release: string): Promise<ReleaseView> =>
    releaseSchema.parse((await api.call('GET', `/v1/releases/${release}`, { token: ann })).body);
  const world = (service: string): Promise<World> => worldOf(platform, service);
  return {
    platform,
    slipway,
    bob: { SLIPWAY_TOKEN: bob },
    cleo: { SLIPWAY_TOKEN: cleo },
    api,
    pushes: slipwayClient({
      url: platform.urls.api,
      token: ann,
      gitlabToken: platform.secrets.gitlab,
      repository: repositories[SAMPLE],
      service: SAMPLE,
    }),
    chat,
    notices,
    temporal: new Client({ connection, namespace }),
    commits,
    look,
    releaseUntil: (release, what, wanted) =>
      until(
        `${release} ${what}`,
        async () => {
          const view = await look(release);
          if (!wanted(view)) throw new Error(`it is ${JSON.stringify({ ...view, plan: undefined })}`);
          return view;
        },
        { withinMs: STEP_WITHIN_MS, everyMs: 100 },
      ),
    world,
    worldWhen: (service, what, check) =>
      until(
        what,
        async () => {
          const seen = await world(service);
          check(seen);
          return seen;
        },
        { withinMs: SETTLED_WITHIN_MS, everyMs: 250 },
      ),
    clientsOf: async (service, requestsPerSecond) => {
      const { hostname, port } = new URL(platform.urls.frontends['prod'] ?? '');
      const target = { address: hostname, port: Number(port), host: serviceDnsName('prod', service) };
      const load = await startLoad(target, requestsPerSecond);
      ends.push(() => load.end());
      return load;
    },
    file: (name, text) => {
      const path = join(dir, name);
      writeFileSync(path, text);
      return path;
    },
  };
}

async function pushAll(dir: string) {
  const repository = (service: string) =>
    createSampleRepository(join(dir, `${service}.git`), { nodeVersion: process.versions.node });
  const sample = await repository(SAMPLE);
  const shop = await repository(SHOP);
  const commits: Commits = {
    // The last one pushed is what the branch stands for.
    sample: {
      unbuildable: await sample.push('unbuildable'),
      misdescribed: await sample.push('misdescribed'),
      first: await sample.push('first', { 'slipway.yaml': SAMPLE_CHANGES }),
      good: await sample.push('good', { 'slipway.yaml': SAMPLE_CHANGES }),
    },
    shop: {
      first: await shop.push('first', { 'slipway.yaml': SHOP_LONG_CANARY }),
      warm: await shop.push('good', { 'slipway.yaml': SHOP_LONG_BAKE }),
      watched: await shop.push('good', {
        'slipway.yaml': [...SHOP_LONG_CANARY, { find: 'version: 2.0.0', put: 'version: 2.1.0' }],
        'package.json': [{ find: '2.0.0', put: '2.1.0' }],
      }),
      guarded: await shop.push('first', { 'slipway.yaml': shopGuarded(new Date()) }),
    },
  };
  return { commits, repositories: { [SAMPLE]: `file://${sample.path}`, [SHOP]: `file://${shop.path}` } };
}
