import { Client, Connection } from '@temporalio/client';
import { serviceDnsName } from '../../domain/environment.ts';
import type { ReleaseView } from '../../domain/release.ts';
import type { CollectGarbageResult } from '../../workflows/collect-garbage.ts';
import { type CollectGarbageInput, releaseWorkflowId, TASK_QUEUE, WorkflowType } from '../../workflows/contract.ts';
import type { Platform } from '../platform/platform.ts';
import { type ChatRoom, type Notice, openChatRoom } from './chat-room.ts';
import { eventually } from './eventually.ts';
import { type Load, startLoad } from './load.ts';
import type { DemoReport, Expectation } from './report.ts';
import { reportRelease, rollbackTimes } from './report.ts';
import { type ReleaseName, type SlipwayClient, slipwayClient } from './slipway-client.ts';
import type { Timeline } from './timeline.ts';

const SERVICE = 'sample';
const PRODUCTION = 'prod';
const FIRST_ENVIRONMENT = 'fat';
/** Requests a second: the manifest's target for one instance is a quarter of it, so four instances carry it. */
const LOAD = 60;
const RELEASE_SECONDS = 240;
const SCALE_SECONDS = 90;
const GARBAGE_SECONDS = 120;
const QUESTION_SECONDS = 15;
const APPROVER = 'bob';

/** A commit of the sample service for each act. */
export interface Commits {
  readonly draft: string;
  readonly first: string;
  readonly good: string;
  readonly bad: string;
}

export interface Stage {
  readonly platform: Platform;
  readonly room: ChatRoom;
  readonly notices: readonly Notice[];
  readonly repository: string;
  readonly commits: Commits;
  readonly timeline: Timeline;
}

/**
 * The play: two versions go to production, a third comes back, the load doubles and halves, garbage goes. All of it
 * by the doors that users have: a push, chat, the API; requests come in through the balancer the whole time.
 */
export async function play(stage: Stage): Promise<Omit<DemoReport, 'expectations'> & { more: Expectation[] }> {
  const { platform, timeline, commits } = stage;
  const { urls, secrets } = platform;
  const slipway = slipwayClient({
    url: urls.api,
    token: secrets.tokens['ann'] ?? '',
    gitlabToken: secrets.gitlab,
    repository: stage.repository,
    service: SERVICE,
  });
  const frontend = new URL(urls.frontends[PRODUCTION] ?? '');
  const more: Expectation[] = [];
  const releases: ReleaseView[] = [];

  timeline.say('a draft: no further than the first environment, by the API');
  const draft = await slipway.releaseUntil(commits.draft, FIRST_ENVIRONMENT);
  releases.push(await untilEnded(slipway, draft, timeline));
  timeline.say('version 1: the first release goes straight to all instances, there is nothing to compare it with');
  releases.push(await pushAndApprove(stage, slipway, commits.first, more));
  const load = await startLoad(
    { address: frontend.hostname, port: Number(frontend.port), host: serviceDnsName(PRODUCTION, SERVICE) },
    LOAD,
  );
  try {
    timeline.say(`${LOAD} requests a second come in through the balancer from now on`);
    timeline.say('version 2: a good change, by canary');
    releases.push(await pushAndApprove(stage, slipway, commits.good, more));
    timeline.say('version 3: answers 500 to a fifth of its requests in production');
    const bad = await pushAndApprove(stage, slipway, commits.bad, more);
    releases.push(bad);
    const autoscale = await doubleTheLoad(slipway, load, timeline);
    more.push(...(await settled(slipway, platform)));
    const gc = await collect(platform, timeline);
    const traffic = await load.end();
    return {
      components: platform.versions,
      releases: releases.map(reportRelease),
      traffic,
      rollback: rollbackTimes(bad),
      autoscale,
      gc,
      historyEvents: await historyEvents(platform, releases),
      more,
    };
  } finally {
    await load.end();
  }
}

/** Opens the room in which approvals are asked for. */
export function openRoom(platform: () => Platform, heard: (notice: Notice) => void): Promise<ChatRoom> {
  return openChatRoom({
    slipway: () => `${platform().urls.api}/v1/chat`,
    secrets: () => platform().secrets,
    heard,
  });
}

/** Pushes a commit, approves its plan in chat once that is asked for, and waits for the end. */
async function pushAndApprove(
  stage: Stage,
  slipway: SlipwayClient,
  commit: string,
  more: Expectation[],
): Promise<ReleaseView> {
  const { room, notices, timeline } = stage;
  const name = await slipway.pushed(commit);
  const id = releaseWorkflowId(name.service, name.key);
  const asked = await eventually(
    `${id} to ask for approval`,
    RELEASE_SECONDS,
    () => look(slipway, name, timeline),
    ({ outcome }) =>
      outcome !== undefined || notices.some(({ kind, release }) => kind === 'approval' && release === id),
  );
  if (asked.outcome === undefined) await approveInChat(room, timeline, name, asked, more);
  return untilEnded(slipway, name, timeline);
}

async function look(slipway: SlipwayClient, name: ReleaseName, timeline: Timeline): Promise<ReleaseView> {
  const view = await slipway.release(name);
  timeline.show(view);
  return view;
}

function untilEnded(slipway: SlipwayClient, name: ReleaseName, timeline: Timeline): Promise<ReleaseView> {
  return eventually(
    `${name.service}/${name.key} to end`,
    RELEASE_SECONDS,
    () => look(slipway, name, timeline),
    ({ outcome }) => outcome !== undefined,
  );
}

async function approveInChat(
  room: ChatRoom,
  timeline: Timeline,
  { service, key }: ReleaseName,
  view: ReleaseView,
  more: Expectation[],
): Promise<void> {
  const command = `approve ${service}/${key} ${view.plan?.digest}`;
  const forged = await room.forge(APPROVER, command);
  const given = await room.say(APPROVER, command);
  timeline.say(`chat: a forged approval is refused (${forged.status}); ${APPROVER} approves: ${given.text}`);
  more.push(
    { what: `a forged approval of ${view.version} is refused`, held: forged.status === 401, seen: `${forged.status}` },
    { what: `the approval of ${view.version} comes by chat`, held: given.ok, seen: `${given.status} ${given.text}` },
  );
}

async function doubleTheLoad(slipway: SlipwayClient, load: Load, timeline: Timeline): Promise<DemoReport['autoscale']> {
  const instances = async () => (await slipway.lane(PRODUCTION, SERVICE)).state.current?.instances ?? 0;
  const from = await instances();
  timeline.say(`the load doubles to ${2 * LOAD} requests a second; ${from} instances carry it`);
  load.rate(2 * LOAD);
  const to = await eventually('instances to grow', SCALE_SECONDS, instances, (now) => now > from);
  timeline.say(`${to} instances; the load goes back to ${LOAD} requests a second`);
  load.rate(LOAD);
  const back = await eventually('instances to shrink', SCALE_SECONDS, instances, (now) => now < to);
  timeline.say(`${back} instances again`);
  return { from, to, back };
}

/** In every environment one revision is live, with all the traffic and nothing beside it. */
async function settled(slipway: SlipwayClient, platform: Platform): Promise<Expectation[]> {
  return Promise.all(
    Object.keys(platform.urls.frontends).map(async (environment) => {
      const what = `one revision lives in ${environment}, nothing is left over`;
      const { state, holder } = await slipway.lane(environment, SERVICE);
      const answer = await fetch(`${platform.urls.marathon}/v2/groups//${environment}/${SERVICE}`, {
        signal: AbortSignal.timeout(10_000),
      });
      const { apps = [] } = (await answer.json()) as { apps?: { id: string }[] };
      const seen = apps.map(({ id }) => id).join(', ');
      const held = holder === undefined && seen === `/${environment}/${SERVICE}/${state.current?.revision}`;
      return { what, held, seen };
    }),
  );
}

async function collect(platform: Platform, timeline: Timeline): Promise<DemoReport['gc']> {
  timeline.say('garbage collection: the registry is read-only while it collects');
  const { address, namespace } = platform.systems.temporal;
  const connection = await Connection.connect({ address });
  try {
    const input: CollectGarbageInput = { services: [], dryRun: false };
    const { workflow } = new Client({ connection, namespace });
    const result: CollectGarbageResult = await connection.withDeadline(Date.now() + GARBAGE_SECONDS * 1000, () =>
      workflow.execute(WorkflowType.CollectGarbage, {
        taskQueue: TASK_QUEUE,
        workflowId: 'collect-garbage-demo',
        args: [input],
      }),
    );
    const { tagsDeleted, bytesReclaimed, deleted, kept } = result;
    for (const { repository, tags, digest } of deleted) {
      timeline.say(`  went: ${repository} ${tags.join(', ')} ${digest.slice(0, 19)}`);
    }
    for (const { repository, tags, digest, reasons } of kept) {
      timeline.say(`  stayed: ${repository} ${tags.join(', ')} ${digest.slice(0, 19)}: ${reasons.join('; ')}`);
    }
    timeline.say(`  ${tagsDeleted} tags went, ${bytesReclaimed} bytes were won`);
    return { tagsDeleted, bytesReclaimed, kept: kept.map(({ tags, digest, reasons }) => ({ tags, digest, reasons })) };
  } finally {
    await connection.close();
  }
}

async function historyEvents(platform: Platform, releases: readonly ReleaseView[]): Promise<Record<string, number>> {
  const { address, namespace } = platform.systems.temporal;
  const connection = await Connection.connect({ address });
  try {
    const { workflow } = new Client({ connection, namespace });
    const lengthOf = async ({ id }: ReleaseView) =>
      [id, (await workflow.getHandle(id).describe()).historyLength] as const;
    const counts = await connection.withDeadline(Date.now() + QUESTION_SECONDS * 1000, () =>
      Promise.all(releases.map(lengthOf)),
    );
    return Object.fromEntries(counts);
  } finally {
    await connection.close();
  }
}
