import type { EventBus } from './events.ts';
import type { HealthTracker } from './health-tracker.ts';
import type { App, Instance } from './model.ts';
import { probe } from './probe.ts';
import { effectivePorts } from './task-environment.ts';
import { isMesosCheck } from './task-info.ts';

/** The first look at an app comes after its interval, but not later than this. */
const FIRST_LOOK_SECONDS = 5;

/** What the checker looks at and whom it tells. */
export interface HealthCheckerParts {
  readonly bus: EventBus;
  readonly tracker: HealthTracker;
  /** Running instances that were launched with this configuration of the app. */
  readonly running: (appId: string, generation: string) => readonly Instance[];
  /** An instance must be replaced; `cause` says what its check saw. */
  readonly unhealthy: (instance: Instance, app: App, cause: string) => void;
  /** Something about health changed. */
  readonly changed: () => void;
  /** How long a second between two looks takes. */
  readonly secondMs: number;
  /** How long a second of the time to answer takes. */
  readonly timeoutSecondMs: number;
}

/**
 * Makes the HTTP, HTTPS and TCP checks. One timer for each configuration of an app and each check, not one per task:
 * at every beat it looks at what runs then.
 */
export class HealthChecker {
  readonly #parts: HealthCheckerParts;
  readonly #timers = new Map<string, NodeJS.Timeout[]>();

  constructor(parts: HealthCheckerParts) {
    this.#parts = parts;
  }

  /** Checks exactly these configurations from now on; those that are checked already go on undisturbed. */
  watch(apps: readonly App[]): void {
    const wanted = new Map(apps.map((app) => [`${app.id} ${app.generation}`, app]));
    for (const [key, timers] of this.#timers) {
      if (wanted.has(key)) continue;
      for (const timer of timers) clearTimeout(timer);
      this.#timers.delete(key);
    }
    for (const [key, app] of wanted) if (!this.#timers.has(key)) this.#timers.set(key, this.#start(app));
  }

  stop(): void {
    this.watch([]);
  }

  /** The timers of all checks of one configuration; each check's first is followed by one that beats. */
  #start(app: App): NodeJS.Timeout[] {
    const { bus, secondMs } = this.#parts;
    const timers: NodeJS.Timeout[] = [];
    for (const [index, check] of app.healthChecks.entries()) {
      bus.publish('add_health_check_event', { appId: app.id, healthCheck: check, version: app.version });
      if (isMesosCheck(check)) continue;
      const intervalMs = Math.max(check.intervalSeconds, 0.1) * secondMs;
      const begin = () => {
        timers.push(setInterval(() => this.#look(app, index), intervalMs));
        this.#look(app, index);
      };
      timers.push(setTimeout(begin, Math.min(intervalMs, FIRST_LOOK_SECONDS * secondMs)));
    }
    return timers;
  }

  #look(app: App, index: number): void {
    const check = app.healthChecks[index];
    if (!check) return;
    for (const instance of this.#parts.running(app.id, app.generation)) {
      const port = check.port ?? effectivePorts(app, instance.ports)[check.portIndex ?? 0];
      const seen =
        port === undefined || (check.port === undefined && check.portIndex === undefined)
          ? Promise.resolve({ ok: false, cause: "unable to get the task's effectivePort" } as const)
          : probe(check, probedHost(app, instance), port, check.timeoutSeconds * this.#parts.timeoutSecondMs);
      void seen.then((result) => {
        // The instance may have ended meanwhile; what was seen then says nothing.
        const current = this.#parts.running(app.id, app.generation).find(({ id }) => id === instance.id);
        if (!current || !this.#timers.has(`${app.id} ${app.generation}`)) return;
        const replace = this.#parts.tracker.takeResult(current, app, index, result);
        if (replace && !result.ok) this.#parts.unhealthy(current, app, result.cause);
        this.#parts.changed();
      });
    }
  }
}

/**
 * Where Marathon reaches a task: published ports on the agent, anything else on the task's own address, which with host
 * networking is the agent's too.
 */
export function probedHost(app: App, instance: Instance): string {
  if (app.networks.some((network) => network.mode === 'container/bridge')) return agentHost(instance);
  return instance.ipAddresses[0]?.ipAddress ?? agentHost(instance);
}

/** The agent's address, since the agents of a cell have names that nobody can resolve; else its name. */
export function agentHost({ agentAddress, host }: Instance): string {
  return agentAddress ?? host;
}
