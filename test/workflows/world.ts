import { Context } from '@temporalio/activity';
import type { WorkflowClient } from '@temporalio/client';
import { ApplicationFailure, type Duration } from '@temporalio/common';
import type { InfluxActivities } from '../../activities/influx/activities.ts';
import { createCanaryActivities } from '../../activities/influx/canary.ts';
import { createLaneActivities } from '../../activities/lane/activities.ts';
import type { RejudgeOrder } from '../../activities/ledger/verdicts.ts';
import type { ReadinessInput } from '../../activities/readiness/activities.ts';
import { createRemovalActivities } from '../../activities/revision/removal.ts';
import { createFreezeActivities } from '../../activities/temporal/freezes.ts';
import type { Groups } from '../../domain/approval.ts';
import { canonicalJson } from '../../domain/digest.ts';
import { judgedAgain, type KeptVerdict, type Rejudgement } from '../../domain/judge/rejudge.ts';
import type { ScaleBounds } from '../../domain/lane.ts';
import type { FreezeEntry, LedgerEntries, LedgerEntry } from '../../domain/ledger.ts';
import type { Manifest } from '../../domain/manifest.ts';
import type { ReadinessGap } from '../../domain/readiness.ts';
import type { RevisionApp } from '../../domain/revision-app.ts';
import type { WindowTimes } from '../../domain/window.ts';
import type { FreezeWatcher } from '../../workflows/contract.ts';
import { looksAt } from './world-looks.ts';

export const COMMIT = 'c'.repeat(40);
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

export const MANIFEST: Manifest = {
  slipway: 'v1',
  service: 'sample',
  version: '1.0.0',
  build: { pipeline: 'node', dockerfile: 'Dockerfile', context: '.', timeoutSeconds: 600 },
  run: { cpus: 0.1, memoryMiB: 64, healthPath: '/healthz', startSeconds: 30, env: { COLOUR: 'blue' } },
  environments: [
    { name: 'fat', instances: 1, env: {} },
    { name: 'prod', instances: 4, env: { COLOUR: 'green' } },
  ],
  tests: [{ name: 'contract', dockerfile: 'test/Dockerfile', environments: ['fat'], timeoutSeconds: 60 }],
  release: {
    strategy: 'canary',
    canary: [
      { kind: 'instances', instances: 1 },
      { kind: 'weight', weight: 10 },
      { kind: 'hold', seconds: 10 },
      { kind: 'judge', name: 'errors' },
      { kind: 'weight', weight: 50 },
    ],
    rolling: { batchPercent: 25, surgePercent: 25 },
    metrics: { errors: { maxErrorPercent: 5, minRequests: 50, alpha: 0.01 } },
    windows: [],
    bakeSeconds: 10,
    retryWithinSeconds: 0,
    approvals: { count: 1, expiresSeconds: 3600 },
  },
  scale: { min: 2, max: 10, requestsPerSecondPerInstance: 20, downAfterSeconds: 30 },
  retention: { keepReleases: 3 },
};

interface Where {
  readonly environment: string;
  readonly service: string;
}

/** Percent of 5xx that every revision of a version answers. */
type ErrorPercent = Readonly<Record<string, number>>;

/**
 * The outside world at the activity border, in memory: what the activities would have changed, and the order in which
 * they did. Every activity can be made to fail or to hang.
 */
export class World {
  manifest: Manifest = MANIFEST;
  errorPercent: ErrorPercent = {};
  requestsPerSecond = 500;
  /** Figures of a canary stop after so many seconds. */
  figuresSeconds = Number.POSITIVE_INFINITY;
  testFailures = 0;
  /** How many instances of an app are not healthy. */
  readonly ill = new Map<string, number>();
  /** How often it is looked for hand-made changes, and at the health of what is new; by default once. */
  looksEvery: Duration = '300 days';
  /** Who belongs to each group of people. */
  groups: Groups = {};
  /** Group whose members alone may release to production; absent for everybody. */
  releasers: string | undefined;
  /** When everyone may release to production; empty for always. */
  windows: readonly WindowTimes[] = [];
  /** What going back lacks now. */
  wayBackLacks: readonly ReadinessGap[] = [];
  /** Nobody brings it in time. */
  wayBackStaysShut = false;
  /** Every time that it was asked whether going back is ready. */
  readonly readinessAsked: ReadinessInput[] = [];
  /** Retention has deleted the images of old bundles. */
  imagesGone = false;
  readonly apps = new Map<string, { app: RevisionApp; instances: number }>();
  readonly traffic = new Map<string, Readonly<Record<string, number>>>();
  readonly names = new Map<string, string>();
  readonly bounds = new Map<string, ScaleBounds>();
  readonly config = new Map<string, number>();
  readonly tags = new Map<string, string>();
  readonly notices: { kind: string; text: { en: string; zh: string } }[] = [];
  /** What the ledger was told, by its key. */
  readonly ledger = new Map<string, LedgerEntry>();
  /** Releases under way, as Temporal lists them: the server that skips time lists none. */
  listed: FreezeWatcher[] = [];
  /** What it was told of freezes. */
  readonly freezes = new Map<string, FreezeEntry>();
  /** Every effect, in order, such as `traffic prod r1=90 r2=10`. */
  readonly effects: string[] = [];
  private readonly holders: (() => void)[] = [];
  private readonly faults: { activity: string; when: (input: unknown) => boolean; fault: Fault; times: number }[] = [];

  /** The next calls of an activity, or those whose input fits, go wrong. */
  fail(activity: string, fault: Fault, options: { times?: number; when?: (input: never) => boolean } = {}): void {
    const when = (options.when ?? (() => true)) as (input: unknown) => boolean;
    this.faults.push({ activity, when, fault, times: options.times ?? 1 });
  }

  /** Lets every activity that is held do its work. */
  letGo(): void {
    for (const letGo of this.holders.splice(0)) letGo();
  }

  /** Activities for the worker; the lane's are the real ones, on the test server. */
  activities(client: () => WorkflowClient): object {
    const effect = (line: string) => this.effects.push(line);
    const temporal = new Proxy({} as WorkflowClient, { get: (_, name) => bound(client(), name) });
    const key = ({ environment, service }: Where) => `${environment}/${service}`;
    const list = (environment: string, service: string) =>
      [...this.apps.values()]
        .filter(({ app }) => app.id.startsWith(`/${environment}/${service}/`))
        .map(({ app, instances }) => ({
          appId: app.id,
          exists: true,
          revision: app.id.split('/')[3] ?? '',
          instances,
        }));
    const activities: Record<string, (input: never) => Promise<unknown>> = {
      resolveCommit: async () => ({ commit: COMMIT, subject: 'a change', author: 'ann' }),
      readManifest: async () => ({ manifest: this.manifest, digest: digest('d') }),
      readEnvironments: async () =>
        (['fat', 'prod'] as const).map((name, index) => ({
          name,
          tier: name === 'prod' ? 'production' : 'integration',
          agentAttribute: { name: 'env', value: name },
          balancer: { address: '127.0.0.1', port: 8001 + index },
          registry: '127.0.0.1:5000',
          ...(name === 'prod' && this.releasers !== undefined
            ? { releasers: { name: this.releasers, members: this.groups[this.releasers] ?? [] } }
            : {}),
          ...(name === 'prod' && this.windows.length > 0 ? { windows: this.windows } : {}),
        })),
      readGroups: async () => this.groups,
      resolveConfig: async (input: Where & { version?: number }) => {
        const version = input.version ?? this.config.get(key(input));
        return version === undefined ? undefined : { version };
      },
      compareConfig: async ({ from, to }: { from: number; to: number }) => ({
        ...{ from, to, added: [], removed: [] },
        changed: ['COLOUR'],
      }),
      pointConfig: async (input: Where & { version: number; expected?: number }) => {
        const previous = this.config.get(key(input)) ?? 0;
        refuseOther(previous, input.expected, input.version);
        if (input.version === 0) this.config.delete(key(input));
        else this.config.set(key(input), input.version);
        effect(`config ${input.environment} ${input.version}`);
        return { version: input.version, previous };
      },
      writeScaleBounds: async (input: Where & { bounds: ScaleBounds | null; expected?: ScaleBounds | null }) => {
        refuseOther(this.bounds.get(key(input)) ?? null, input.expected, input.bounds);
        if (input.bounds) this.bounds.set(key(input), input.bounds);
        else this.bounds.delete(key(input));
      },
      ensureRevision: async ({ app }: { app: RevisionApp }) => {
        if (!this.apps.has(app.id)) {
          this.apps.set(app.id, { app, instances: app.instances });
          effect(`create ${app.id}`);
        }
        return { appId: app.id };
      },
      scaleRevision: async (input: { appId: string; instances: number }) => {
        const found = this.apps.get(input.appId);
        if (!found) throw ApplicationFailure.nonRetryable(`no app ${input.appId}`, 'SystemRefused');
        found.instances = input.instances;
        effect(`scale ${input.appId} ${input.instances}`);
      },
      listRevisions: async ({ environment, service }: Where) => list(environment, service),
      deleteRevision: async ({ appId }: { appId: string }) => {
        if (this.apps.delete(appId)) effect(`delete ${appId}`);
      },
      setTraffic: async (input: Where & { shares: Shares; servers: Shares; expected?: Shares }) => {
        refuseOther(serving(this.traffic.get(key(input)) ?? {}), input.expected, serving(input.shares));
        for (const [revision, share] of Object.entries(input.shares)) {
          const app = this.apps.get(`/${key(input)}/${revision}`);
          if (share > 0 && (!app || app.instances < Math.max(1, input.servers[revision] ?? 1))) {
            throw ApplicationFailure.nonRetryable(`${revision} has not the capacity for ${share} %`, 'NotVerified');
          }
        }
        this.traffic.set(key(input), input.shares);
        effect(`traffic ${input.environment} ${said(input.shares)}`);
      },
      drainRevision: async () => {},
      removeTraffic: async (input: Where) => {
        this.traffic.delete(key(input));
        effect(`traffic ${input.environment} none`);
      },
      bindName: async (input: Where & { address: string; port: number }) => {
        this.names.set(key(input), `${input.address}:${input.port}`);
      },
      unbindName: async (input: Where) => {
        this.names.delete(key(input));
      },
      ...createCanaryActivities(this.figures()),
      ...looksAt(this),
      readAppFields: async ({ appId, fields }: { appId: string; fields: readonly string[] }) => {
        const found = this.apps.get(appId);
        if (!found) throw ApplicationFailure.nonRetryable(`no app ${appId}`, 'SystemRefused');
        return Object.fromEntries(fields.map((field) => [field, Reflect.get(found.app, field) ?? null]));
      },
      checkRollbackReadiness: async (input: ReadinessInput) => {
        this.readinessAsked.push(input);
        return this.wayBackLacks;
      },
      awaitRollbackReadiness: async () => {
        if (this.wayBackStaysShut) throw ApplicationFailure.nonRetryable('an hour is over', 'NotReadyToRollBack');
        while (this.wayBackLacks.length > 0) await Context.current().sleep(50);
      },
      imageExists: async () => !this.imagesGone,
      promoteImage: async ({ image, tag }: { image: { digest: string }; tag: string }) => {
        const changed = this.tags.get(tag) !== image.digest;
        this.tags.set(tag, image.digest);
        effect(`tag ${tag}`);
        return { digest: image.digest, changed };
      },
      verifyAudit: async () => ({ rows: this.ledger.size, hash: digest('e') }),
      rejudge: async ({ release, policy }: RejudgeOrder): Promise<readonly Rejudgement[]> =>
        [...this.ledger].flatMap(([key, entry]) => {
          if (entry.kind !== 'verdict' || !key.startsWith(`${release} `)) return [];
          return [judgedAgain(entry as KeptVerdict, policy)];
        }),
      runTest: async () => ({ tests: 5, failures: this.testFailures, skipped: 0, cases: [], logTail: '' }),
      endTest: async ({ activityId, order }: { activityId: string; order: { suite: string } }) => {
        effect(`end ${order.suite} of activity ${activityId}`);
      },
      writeLedger: async ({ teller, run, first, entries }: LedgerEntries) => {
        for (const [index, entry] of entries.entries()) {
          const key = `${teller} ${run} ${first + index}`;
          const before = this.ledger.get(key) ?? entry;
          if (canonicalJson(before) !== canonicalJson(entry)) throw new Error(`${key} says something else`);
          this.ledger.set(key, entry);
        }
        return { number: this.ledger.size, hash: digest('e') };
      },
      notify: async (notice: { kind: string; text: { en: string; zh: string } }) => {
        this.notices.push(notice);
      },
      writeFreezes: async ({ entries }: { entries: readonly FreezeEntry[] }) => {
        for (const entry of entries) this.freezes.set(`${entry.id} ${entry.kind}`, entry);
        return { number: this.freezes.size, hash: digest('f') };
      },
      ...createLaneActivities(temporal),
      ...createFreezeActivities(temporal),
      listFreezeWatchers: async () => this.listed,
    };
    const wrapped: Record<string, (input: never) => Promise<unknown>> = Object.fromEntries(
      Object.entries(activities).map(([name, activity]) => [
        name,
        async (input: never) => {
          await this.meetFault(name, input, async () => {
            await activity(input);
          });
          return activity(input);
        },
      ]),
    );
    const call = (name: string, input: object) => wrapped[name]?.(input as never);
    return {
      ...wrapped,
      // The parts of these may go wrong as they do alone.
      ...createRemovalActivities({
        drainRevision: async (input) => void (await call('drainRevision', input)),
        deleteRevision: async (input) => void (await call('deleteRevision', input)),
      }),
      startRevisions: async ({ apps, environment }: { apps: readonly RevisionApp[]; environment: string }) => {
        const started = await Promise.allSettled(
          apps.map(async (app) => {
            await call('ensureRevision', { environment, app });
            await call('scaleRevision', { environment, appId: app.id, instances: app.instances });
          }),
        );
        const failed = started.find((one) => one.status === 'rejected');
        if (failed) throw failed.reason;
      },
    };
  }

  /** What the balancers counted, as InfluxDB would tell it. */
  private figures(): Pick<InfluxActivities, 'readCanaryFigures'> {
    return {
      readCanaryFigures: async ({ baseline, canary, environment, from, others, service, to }) => {
        const seconds = Math.round((Date.parse(to) - Date.parse(from)) / 1000);
        const figures = (revision: string | null) => {
          const app = this.apps.get(`/${environment}/${service}/${revision}`);
          const percent = this.errorPercent[app?.app.env['SLIPWAY_VERSION'] ?? ''] ?? 0;
          const share = this.traffic.get(`${environment}/${service}`)?.[revision ?? ''] ?? 0;
          const requests = this.requestsPerSecond * (share / 100);
          return { requests, errors: Math.round((requests * percent) / 100), seconds: 1, latencyMs: 5 };
        };
        const beside = others === undefined ? {} : { others: figures(others) };
        const interval = { canary: figures(canary), baseline: figures(baseline), ...beside };
        return { intervals: Array.from({ length: Math.min(seconds, this.figuresSeconds) }, () => interval) };
      },
    };
  }

  private async meetFault(activity: string, input: unknown, apply: () => Promise<void>): Promise<void> {
    const index = this.faults.findIndex((fault) => fault.activity === activity && fault.when(input));
    const found = this.faults[index];
    if (!found) return;
    found.times--;
    if (found.times <= 0) this.faults.splice(index, 1);
    switch (found.fault) {
      case 'unavailable':
        throw ApplicationFailure.retryable(`${activity}: 503`, 'SystemUnavailable');
      case 'applied-but-unavailable':
        await apply();
        throw ApplicationFailure.retryable(`${activity}: 503, although it was done`, 'SystemUnavailable');
      case 'refused':
        throw ApplicationFailure.nonRetryable(`${activity} was refused`, 'SystemRefused');
      case 'late':
        throw ApplicationFailure.retryable(`${activity} was not done in time`, 'DeadlineExceeded');
      case 'unhealthy':
        throw ApplicationFailure.nonRetryable('0 of 1 instances are healthy', 'RevisionUnhealthy');
      case 'exhausted':
        throw ApplicationFailure.nonRetryable('no offer has room', 'CapacityExhausted');
      case 'hang':
        this.effects.push(`${activity} hangs`);
        return untilCancelled();
      case 'deaf':
        this.effects.push(`${activity} hangs`);
        await untilCancelled().catch(() => undefined);
        return;
      case 'held': {
        this.effects.push(`${activity} is held`);
        // Else a server takes the worker for dead after a while, and starts the activity again.
        const beat = setInterval(() => Context.current().heartbeat(), 100);
        await new Promise<void>((letGo) => {
          this.holders.push(letGo);
        });
        clearInterval(beat);
      }
    }
  }
}

/**
 * `hang`: does nothing until it is cancelled, and then ends so; `deaf`: does its work then all the same; `held`: does its
 * work when the test lets go of it.
 */
export type Fault =
  | 'exhausted'
  | 'held'
  | 'unavailable'
  | 'applied-but-unavailable'
  | 'refused'
  | 'late'
  | 'unhealthy'
  | 'hang'
  | 'deaf';

async function untilCancelled(): Promise<void> {
  // A cancellation reaches an activity only by the answer to a heartbeat.
  const beat = setInterval(() => Context.current().heartbeat(), 100);
  await Context.current().cancelled.finally(() => clearInterval(beat));
}

function said(shares: Readonly<Record<string, number>>): string {
  return Object.entries(shares)
    .map(([revision, share]) => `${revision}=${share}`)
    .sort()
    .join(' ');
}

function bound(client: WorkflowClient, name: string | symbol): unknown {
  const member: unknown = Reflect.get(client, name);
  return typeof member === 'function' ? member.bind(client) : member;
}

type Shares = Readonly<Record<string, number>>;

const serving = (shares: Shares): Shares => Object.fromEntries(Object.entries(shares).filter(([, share]) => share > 0));

/** As the activities do: nothing is written over what somebody else has left there. */
function refuseOther(found: unknown, expected: unknown, wanted: unknown): void {
  if (expected === undefined || [expected, wanted].some((one) => canonicalJson(one) === canonicalJson(found))) return;
  throw ApplicationFailure.nonRetryable(`it was changed by hand: ${JSON.stringify(found)}`, 'Drifted');
}
