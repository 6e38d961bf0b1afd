import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { FaultBoard } from '../faults/board.ts';
import { Journal } from '../journal.ts';
import type { CellLog } from '../mesos/log.ts';
import { AppInfo } from './app-info.ts';
import { isForgotten } from './backoff.ts';
import { EventBus } from './events.ts';
import { Framework } from './framework.ts';
import { allApps } from './groups.ts';
import { HealthChecker } from './health-checker.ts';
import { HealthTracker } from './health-tracker.ts';
import { absentRoutes } from './http/absent-routes.ts';
import { appRoutes } from './http/app-routes.ts';
import type { Route } from './http/exchange.ts';
import { groupRoutes } from './http/group-routes.ts';
import { pageRoutes } from './http/page-routes.ts';
import { serviceRoutes } from './http/service-routes.ts';
import { taskRoutes } from './http/task-routes.ts';
import { infoConfig } from './info-config.ts';
import { Instances } from './instances.ts';
import { LaunchQueue } from './launch-queue.ts';
import { Launcher } from './launcher.ts';
import { type App, isScheduled } from './model.ts';
import { Orchestrator } from './orchestrator.ts';
import { PROFILES, type ProfileName } from './profile.ts';
import { ReadinessChecker } from './readiness.ts';
import { ScheduledInstances } from './scheduled.ts';
import { State } from './state.ts';
import { Updates } from './updates.ts';

/** Everything a leader needs to know; see `MarathonCellOptions`. */
export interface LeaderOptions {
  readonly host: string;
  /** Where this Marathon answers, such as `http://127.0.0.1:8080`. */
  readonly origin: string;
  readonly mesosMaster: string;
  readonly stateDir: string;
  readonly profile: ProfileName;
  readonly minReviveOffersIntervalMs: number;
  readonly declineOfferMs: number;
  readonly scaleAppsIntervalMs: number;
  readonly secondMs: number;
  readonly timeoutSecondMs: number;
  readonly stored: () => Promise<void> | undefined;
  readonly lost: LostTimes | undefined;
  readonly random: () => number;
  readonly log: CellLog;
  readonly faults?: FaultBoard | undefined;
  /** Ends this leader after the answer that is under way, and has another elected. */
  readonly abdicate: () => void;
}

/** When a leader looks at lost instances, in milliseconds; each time is a flag of Marathon's. */
export interface LostTimes {
  /** `--task_lost_expunge_initial_delay`, of Marathon's 300 000: none is given up before. */
  readonly expungeInitialDelayMs: number;
  /** `--task_lost_expunge_interval`, of Marathon's 30 000. */
  readonly expungeIntervalMs: number;
  /** `--reconciliation_initial_delay`, of Marathon's 15 000. What Mesos repeats then makes instances inactive. */
  readonly reconciliationInitialDelayMs: number;
  /** `--reconciliation_interval`, of Marathon's 600 000. */
  readonly reconciliationIntervalMs: number;
}

/** What a Marathon is while it leads: its state, its framework, its deployments. */
export interface Leader {
  /** What it answers. */
  readonly routes: readonly Route[];
  /** Ends it with its streams; tasks run on, and the next leader on the same state takes them up again. */
  stop(): Promise<void>;
}

/** How often lost tasks, unanswered kills and launches, and old delays are looked at. */
const HOUSEKEEPING_MS = 1_000;
/** A launch without any answer, or a kill without an end, is asked for again after so long. */
const UNANSWERED_MS = 5_000;
const RECONCILIATION_MS = 600_000;

/** Reads what is stored, and goes on from there: deployments that ran begin their step anew, tasks are asked for. */
export function lead(options: LeaderOptions): Leader {
  const { origin, log } = options;
  const profile = PROFILES[options.profile];
  const { minReviveOffersIntervalMs, declineOfferMs, scaleAppsIntervalMs, secondMs, timeoutSecondMs, lost } = options;
  const nowMs = () => Date.now();

  const journal = new Journal(join(options.stateDir, 'marathon.journal'));
  const state = new State(journal);
  const bus = new EventBus(nowMs, options.faults);
  const scheduled = new ScheduledInstances(state, bus);
  const queue = new LaunchQueue({
    keepsFormer: profile.instancesOutliveTasks,
    counted: (ref, count) => {
      if (profile.instancesOutliveTasks) scheduled.fit(ref, count);
    },
  });
  const health = new HealthTracker(bus, nowMs, secondMs);
  const look = () => orchestrator.look();
  const readiness = new ReadinessChecker(look, { secondMs, timeoutSecondMs });
  /** Resources came free, so an offer that was declined may fit now. */
  let roomMade = false;

  const instances: Instances = new Instances({
    state,
    bus,
    health,
    profile,
    scheduled,
    nowMs,
    secondMs,
    killTask: ({ taskId, agentId }) => framework.kill(taskId, agentId),
    gone: (instance) => {
      readiness.forget(instance.id);
      roomMade = true;
      orchestrator.scaleCheck(instance.appId);
    },
    again: ({ id, appId, generation }) => {
      readiness.forget(id);
      roomMade = true;
      // Even if there are enough without it: that is looked at with all apps, now and then.
      const ref = { appId, generation };
      queue.setCount(ref, (queue.get(ref)?.count ?? 0) + 1, nowMs());
    },
    inactive: ({ appId }) => orchestrator.scaleCheck(appId),
    changed: () => {
      watchReadiness();
      look();
    },
  });
  const checker = new HealthChecker({
    bus,
    tracker: health,
    running: (appId, generation) =>
      state
        .instancesOf(appId)
        .filter((one) => one.condition === 'Running' && one.goal === 'Running' && one.generation === generation),
    unhealthy: (instance, app, cause) => instances.killUnhealthy(instance, app, cause),
    changed: look,
    secondMs,
    timeoutSecondMs,
  });
  const orchestrator: Orchestrator = new Orchestrator({
    state,
    bus,
    queue,
    nowMs,
    stored: options.stored,
    scheduledStay: profile.instancesOutliveTasks,
    profile,
    kill: (chosen) => instances.kill(chosen),
    consideredHealthy: (one) => {
      const app = state.configOf(one);
      if (!app || (app.healthChecks.length === 0 && app.readinessChecks.length === 0)) return true;
      return !isScheduled(one) && health.isHealthyByMesos(one, app);
    },
    isReady: (instance, app) =>
      instance.condition === 'Running' &&
      (app.healthChecks.length === 0 || health.wasHealthy(instance)) &&
      readiness.isReady(instance, app),
    appsChanged: () => {
      checker.watch(checkedApps());
      watchReadiness();
    },
    looked: (moreWork) => {
      askForOffers(moreWork || roomMade);
      roomMade = false;
    },
  });
  const launcher = new Launcher({ state, queue, profile, instances, nowMs, random: options.random });
  const framework: Framework = new Framework(
    {
      master: options.mesosMaster,
      hostname: options.host,
      webUiUrl: origin,
      knowsTaskKilling: profile.knowsTaskKilling,
      minReviveOffersIntervalMs,
      declineOfferMs,
    },
    {
      bus,
      log,
      frameworkId: () => state.frameworkId,
      setFrameworkId: (id) => state.setFrameworkId(id),
      takeOffer: (offer) => {
        const tasks = launcher.take(offer);
        if (tasks.length > 0) askForOffers(true);
        return tasks;
      },
      takeStatus: (status) => instances.takeStatus(status),
      knownTasks: () =>
        [...state.instances.values()].map(({ taskId, agentId, goal }) => ({
          taskId,
          agentId,
          stop: goal === 'Stopped',
        })),
      removed: () => instances.allGone(),
      connected: () => askForOffers(true),
    },
  );

  /** Says to Mesos whether offers are wanted, and looks again when the next delayed app may start. */
  let wake: NodeJS.Timeout | undefined;
  function askForOffers(anew: boolean): void {
    framework.wantOffers(launcher.launchable().length > 0, anew);
    clearTimeout(wake);
    const next = launcher.nextAllowedMs();
    if (next !== undefined) wake = setTimeout(() => askForOffers(true), next - nowMs() + 1);
  }

  /** Every configuration that is wanted or still runs. */
  function checkedApps(): readonly App[] {
    const all = [...state.instances.values(), ...state.scheduled.values()];
    const running = new Set(all.map((one) => `${one.appId} ${one.generation}`));
    const current = allApps(state.root);
    const former = [...new Set(all.map(({ appId }) => appId))].flatMap((appId) =>
      state.versions
        .accepted(appId)
        .filter((app) => running.has(`${app.id} ${app.generation}`) && state.app(appId)?.generation !== app.generation),
    );
    return [...current, ...former].filter((app) => app.healthChecks.length > 0);
  }

  /** Readiness is a matter of deployments: only then are instances looked at. */
  function watchReadiness(): void {
    for (const { plan } of state.deployments.values()) {
      for (const { after } of plan.changes) {
        if (!after || after.readinessChecks.length === 0) continue;
        for (const one of state.instancesOf(after.id)) {
          if (one.condition === 'Running' && one.generation === after.generation) readiness.watch(one, after);
        }
      }
    }
  }

  function keepHouse(): void {
    if (!lost) instances.giveUpLost();
    const silentSince = new Date(nowMs() - UNANSWERED_MS).toISOString();
    const waiting = [...state.instances.values()].filter((one) => one.stagedAt < silentSince);
    framework.reconcile(waiting.filter((one) => one.condition === profile.launchedCondition));
    for (const [key, backoff] of state.backoffs) {
      const app = state.app(key.split(' ')[0] ?? '');
      if (!app || isForgotten(backoff, app, nowMs(), secondMs)) state.setBackoff(key, undefined);
    }
  }

  const reconcileAll = () => framework.reconcile([...state.instances.values()]);
  const repeated = [
    repeat(
      lost?.reconciliationInitialDelayMs ?? RECONCILIATION_MS,
      lost?.reconciliationIntervalMs ?? RECONCILIATION_MS,
      reconcileAll,
    ),
    ...(lost
      ? [
          repeat(lost.expungeInitialDelayMs, lost.expungeIntervalMs, () =>
            instances.giveUpLost({ makesInactive: false }),
          ),
        ]
      : []),
  ];
  const timers = [
    setInterval(keepHouse, HOUSEKEEPING_MS),
    setInterval(() => instances.repeatKills(), UNANSWERED_MS),
    setInterval(() => orchestrator.scaleCheckAll(), scaleAppsIntervalMs),
  ];

  const info = new AppInfo({ state, health, readiness, profile, nowMs });
  const updates = new Updates({ state, bus, orchestrator, profile, nowMs });
  const parts = { state, bus, updates, info, instances, profile, origin };
  const routes: readonly Route[] = [
    ...pageRoutes(origin),
    ...taskRoutes(parts),
    ...appRoutes(parts),
    ...groupRoutes(parts),
    ...serviceRoutes({
      ...parts,
      queue,
      orchestrator,
      readiness,
      nowMs,
      secondMs,
      config: infoConfig({
        profile: profile.name,
        host: options.host,
        port: Number(new URL(origin).port),
        master: options.mesosMaster,
        user: userInfo().username,
        minReviveOffersIntervalMs,
        declineOfferMs,
        scaleAppsIntervalMs,
      }),
      abdicate: options.abdicate,
    }),
    ...absentRoutes(profile),
  ];
  for (const waiting of Map.groupBy(
    state.scheduled.values(),
    ({ appId, generation }) => `${appId} ${generation}`,
  ).values()) {
    const [first] = waiting;
    if (first) queue.setCount(first, waiting.length, nowMs());
  }
  checker.watch(checkedApps());
  orchestrator.scaleCheckAll();
  framework.start();

  return {
    routes,
    async stop() {
      for (const timer of timers) clearInterval(timer);
      for (const stop of repeated) stop();
      // What Mesos still tells until then may begin looks and checks again.
      await framework.stop();
      orchestrator.stop();
      checker.stop();
      readiness.stop();
      clearTimeout(wake);
      bus.close();
      journal.close();
    },
  };
}

/** Does something after a delay, and then again and again. Returns what ends it. */
function repeat(initialMs: number, intervalMs: number, what: () => void): () => void {
  let timer = setTimeout(again, initialMs);
  function again(): void {
    what();
    timer = setTimeout(again, intervalMs);
  }
  return () => clearTimeout(timer);
}
