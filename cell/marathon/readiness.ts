import { agentHost, probedHost } from './health-checker.ts';
import type { App, Instance, ReadinessCheck } from './model.ts';
import { get } from './probe.ts';
import { effectivePorts } from './task-environment.ts';

/** How much of an answer is kept. */
const KEPT_BODY_BYTES = 64 * 1024;

/** One result as the API shows it. */
export interface ReadinessResult {
  readonly name: string;
  readonly taskId: string;
  readonly ready: boolean;
  /** The original never shows a content type. */
  readonly lastResponse?: { readonly status: number; readonly contentType: string; readonly body: string };
}

/**
 * Makes readiness checks: from the moment a task runs, again and again until it was ready once. A result never goes
 * back. Only deployments look at it.
 */
export class ReadinessChecker {
  readonly #changed: () => void;
  readonly #secondMs: number;
  readonly #timeoutSecondMs: number;
  readonly #results = new Map<string, ReadinessResult>();
  readonly #timers = new Map<string, NodeJS.Timeout>();

  /** How long a second between two looks takes, and one of the time to answer. */
  constructor(changed: () => void, { secondMs = 1000, timeoutSecondMs = 1000 } = {}) {
    this.#changed = changed;
    this.#secondMs = secondMs;
    this.#timeoutSecondMs = timeoutSecondMs;
  }

  /** True for an instance without such a check, or one that was ready once. */
  isReady(instance: Instance, app: App): boolean {
    return app.readinessChecks.length === 0 || (this.#results.get(instance.id)?.ready ?? false);
  }

  /** Of those instances that run the app as it is now; others were asked by an earlier deployment. */
  results(app: App | undefined, instances: readonly Instance[]): readonly ReadinessResult[] {
    return instances
      .filter(({ generation }) => generation === app?.generation)
      .flatMap((instance) => this.#results.get(instance.id) ?? []);
  }

  /** Begins to look at an instance that runs; does nothing when it is looked at already or was ready. */
  watch(instance: Instance, app: App): void {
    const [check] = app.readinessChecks;
    if (!check || this.#timers.has(instance.id) || this.isReady(instance, app)) return;
    const look = async () => {
      const result = await query(check, app, instance, check.timeoutSeconds * this.#timeoutSecondMs);
      if (!this.#timers.has(instance.id)) return;
      this.#results.set(instance.id, result);
      if (result.ready) this.#unwatch(instance.id);
      this.#changed();
    };
    this.#timers.set(
      instance.id,
      setInterval(() => void look(), Math.max(check.intervalSeconds, 0.1) * this.#secondMs),
    );
    void look();
  }

  forget(instanceId: string): void {
    this.#unwatch(instanceId);
    this.#results.delete(instanceId);
  }

  stop(): void {
    for (const id of [...this.#timers.keys()]) this.#unwatch(id);
  }

  #unwatch(instanceId: string): void {
    clearInterval(this.#timers.get(instanceId));
    this.#timers.delete(instanceId);
  }
}

async function query(check: ReadinessCheck, app: App, instance: Instance, timeoutMs: number): Promise<ReadinessResult> {
  const definitions = app.portDefinitions ?? app.container?.portMappings ?? [];
  const index = definitions.findIndex((definition) => definition.name === check.portName);
  const port = effectivePorts(app, instance.ports)[index];
  const scheme = check.protocol === 'HTTPS' ? 'https' : 'http';
  // Of a published port the agent is asked, also where the app has a network of its own.
  const published = app.container?.portMappings?.[index]?.hostPort !== undefined;
  const host = published ? agentHost(instance) : probedHost(app, instance);
  const url = `${scheme}://${host}:${port}${check.path}`;
  const base = { name: check.name, taskId: instance.taskId };
  try {
    const response = await get(scheme, host, port ?? 0, check.path, timeoutMs);
    const status = response.statusCode ?? 0;
    const ready = check.httpStatusCodesForReady.includes(status);
    if (!check.preserveLastResponse) {
      response.destroy();
      return { ...base, ready };
    }
    let body = '';
    for await (const chunk of response) if (body.length < KEPT_BODY_BYTES) body += chunk;
    // Marathon's HTTP client keeps the type apart from the other headers, so it is never found.
    return { ...base, ready, lastResponse: { status, contentType: '', body } };
  } catch (error) {
    const reason = typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
    const body = `Marathon could not query ${url}: ${reason}`;
    return {
      ...base,
      ready: false,
      ...(check.preserveLastResponse ? { lastResponse: { status: 504, contentType: 'text/plain', body } } : {}),
    };
  }
}
