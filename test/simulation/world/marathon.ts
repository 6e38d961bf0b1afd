import { type Answer, type Call, json, type OnEffect } from './exchange.ts';

/** One instance of an app. */
export interface SimulatedTask {
  readonly id: string;
  readonly port: number;
  /** So many looks at the app until it runs and its check is green; never for one that is sick. */
  looksLeft: number;
  readonly sick: boolean;
  /** It was healthy, and is not now. */
  ill: boolean;
}

/** One app, as it was posted, and what runs of it. */
export interface SimulatedApp {
  readonly id: string;
  definition: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  instances: number;
  tasks: SimulatedTask[];
  /** A deployment is shown for so many looks. */
  deploymentLooks: number;
  /** Somebody else's deployment locks the app for so many tries. */
  lockedTries: number;
}

/** How the instances of an app come up; decided by the seed. */
export interface Upcoming {
  /** Looks until the n-th instance that the app ever had is healthy. */
  looks(appId: string, nth: number): number;
  /** Whether that instance never gets healthy. */
  sick(appId: string, nth: number, version: string): boolean;
  /** Tries for which the first scaling of an app is locked by somebody's deployment. */
  locked(appId: string): number;
}

const HOST = '10.1.0.1';

/**
 * Marathon's `/v2`, as far as Slipway uses it: apps that are created, scaled, deleted and looked at. Nothing moves by
 * the clock: an instance gets healthy, and a deployment ends, after a number of looks. So a run takes no time and
 * replays.
 */
export class SimulatedMarathon {
  readonly apps = new Map<string, SimulatedApp>();
  private readonly upcoming: Upcoming;
  private readonly onEffect: OnEffect;
  private readonly started = new Map<string, number>();
  private ports = 31_000;
  private deployments = 0;

  constructor(upcoming: Upcoming, onEffect: OnEffect) {
    this.upcoming = upcoming;
    this.onEffect = onEffect;
  }

  /** Instances that run and whose check is green. */
  live(app: SimulatedApp): readonly SimulatedTask[] {
    return this.cameUp(app).filter((task) => !task.ill);
  }

  /** Instances that got healthy, whatever befell them since. */
  cameUp(app: SimulatedApp): readonly SimulatedTask[] {
    return app.tasks.filter((task) => task.looksLeft <= 0 && !task.sick);
  }

  /** The checks of these instances of an app are not green any more. */
  fallIll(appId: string, who: 'all' | 'one'): void {
    const app = this.apps.get(appId);
    const those = app ? this.live(app) : [];
    for (const task of who === 'all' ? those : those.slice(0, 1)) task.ill = true;
  }

  /** They are green again. */
  heal(appId: string): void {
    for (const task of this.apps.get(appId)?.tasks ?? []) task.ill = false;
  }

  /** The version of the service that an app runs. */
  versionOf(app: SimulatedApp): string {
    const env = app.definition['env'];
    return String((env as Record<string, unknown> | undefined)?.['SLIPWAY_VERSION'] ?? '');
  }

  /** What a person does by hand: no effect of Slipway. */
  scaleByHand(appId: string, instances: number): void {
    const app = this.apps.get(appId);
    if (app) this.setInstances(app, instances);
  }

  /** Another environment for an app, by hand. @returns what undoes it */
  editByHand(appId: string): () => void {
    const app = this.apps.get(appId);
    if (!app) return () => {};
    const { definition } = app;
    const env = definition['env'] as Readonly<Record<string, unknown>> | undefined;
    app.definition = { ...definition, env: { ...env, BY_HAND: 'yes' } };
    return () => {
      app.definition = definition;
    };
  }

  /** Whoever waits for instances by another system's word looks too. */
  lookAtAll(): void {
    for (const app of this.apps.values()) this.look(app);
  }

  handle(call: Call): Answer {
    const { method, path } = call;
    if (path === '/v2/info') return json(200, { name: 'marathon', version: '1.11.0', elected: true });
    if (path === '/v2/deployments') return json(200, this.shownDeployments());
    if (path === '/v2/queue') return json(200, { queue: [] });
    if (path === '/v2/tasks' && method === 'GET') {
      return json(200, { tasks: [...this.apps.values()].flatMap((app) => app.tasks.map((task) => shown(app, task))) });
    }
    if (path === '/v2/apps' && method === 'GET') return this.list(call.query.get('label'));
    if (path === '/v2/apps' && method === 'POST') return this.create(call.body);
    if (path.startsWith('/v2/apps/')) return this.one(call, path.slice('/v2/apps'.length));
    return json(404, { message: `no such page: ${method} ${path}` });
  }

  private list(label: string | null): Answer {
    const [name = '', value = ''] = (label ?? '').split('==');
    const labelOf = (app: SimulatedApp) => (app.definition['labels'] as Record<string, string> | undefined)?.[name];
    const found = [...this.apps.values()].filter((app) => label === null || labelOf(app) === value);
    for (const app of found) this.look(app);
    return json(200, { apps: found.map((app) => this.shownApp(app)) });
  }

  private create(body: string): Answer {
    const definition = JSON.parse(body) as { readonly id: string; readonly instances: number };
    if (this.apps.has(definition.id)) {
      this.onEffect({ system: 'marathon', subject: definition.id, change: 'created twice' });
      return json(409, { message: `An app with id [${definition.id}] already exists.` });
    }
    const app: SimulatedApp = {
      id: definition.id,
      definition: { ...definition },
      createdAt: '2026-01-01T00:00:00.000Z',
      instances: 0,
      tasks: [],
      deploymentLooks: 1,
      lockedTries: this.upcoming.locked(definition.id),
    };
    this.apps.set(app.id, app);
    this.setInstances(app, definition.instances);
    this.onEffect({ system: 'marathon', subject: app.id, change: `create ${definition.instances}` });
    return json(201, this.shownApp(app));
  }

  private one(call: Call, rest: string): Answer {
    const id = decodeURIComponent(rest);
    const app = this.apps.get(id);
    if (!app) return json(404, { message: `App '${id}' does not exist` });
    if (call.method === 'GET') {
      this.look(app);
      return json(200, { app: this.shownApp(app) });
    }
    if (call.method === 'PUT') return this.scale(app, call);
    if (call.method !== 'DELETE') return json(405, { message: 'method not allowed' });
    this.apps.delete(id);
    this.onEffect({ system: 'marathon', subject: id, change: 'delete' });
    return json(200, this.deployment());
  }

  private scale(app: SimulatedApp, call: Call): Answer {
    if (app.lockedTries > 0 && call.query.get('force') !== 'true') {
      app.lockedTries -= 1;
      return json(409, { message: 'App is locked by one or more deployments.', deployments: [{ id: 'by-hand' }] });
    }
    const { instances } = JSON.parse(call.body) as { readonly instances: number };
    this.setInstances(app, instances);
    app.deploymentLooks = 1;
    this.onEffect({ system: 'marathon', subject: app.id, change: `scale ${instances}` });
    return json(200, this.deployment());
  }

  private setInstances(app: SimulatedApp, instances: number): void {
    app.instances = instances;
    while (app.tasks.length < instances) {
      const nth = (this.started.get(app.id) ?? 0) + 1;
      this.started.set(app.id, nth);
      this.ports += 1;
      app.tasks.push({
        id: `${app.id.slice(1).replaceAll('/', '_')}.instance-${nth}`,
        port: this.ports,
        looksLeft: this.upcoming.looks(app.id, nth),
        sick: this.upcoming.sick(app.id, nth, this.versionOf(app)),
        ill: false,
      });
    }
    // The youngest go first, as the apps ask for it.
    app.tasks = app.tasks.slice(0, instances);
  }

  private look(app: SimulatedApp): void {
    app.deploymentLooks -= 1;
    for (const task of app.tasks) task.looksLeft -= 1;
  }

  private shownApp(app: SimulatedApp): unknown {
    const live = this.live(app).length;
    const sick = app.tasks.filter(isUnfit);
    return {
      ...app.definition,
      instances: app.instances,
      version: app.createdAt,
      tasksStaged: app.tasks.length - live - sick.length,
      tasksRunning: live + sick.length,
      tasksHealthy: live,
      tasksUnhealthy: sick.length,
      deployments: app.deploymentLooks > 0 ? [{ id: `deployment-of-${app.id}` }] : [],
      tasks: app.tasks.map((task) => shown(app, task)),
      ...(sick[0] === undefined ? {} : { lastTaskFailure: failureOf(app, sick[0]) }),
    };
  }

  private shownDeployments(): unknown {
    return [...this.apps.values()]
      .filter((app) => app.lockedTries > 0)
      .map((app) => ({
        id: 'by-hand',
        version: app.createdAt,
        affectedApps: [app.id],
        affectedPods: [],
        steps: [{ actions: [{ action: 'RestartApplication', app: app.id }] }],
        currentActions: [],
        currentStep: 1,
        totalSteps: 1,
      }));
  }

  private deployment(): unknown {
    this.deployments += 1;
    return { version: '2026-01-01T00:00:00.000Z', deploymentId: `deployment-${this.deployments}` };
  }
}

function shown(app: SimulatedApp, task: SimulatedTask): unknown {
  const runs = task.sick || task.looksLeft <= 0;
  return {
    id: task.id,
    appId: app.id,
    host: HOST,
    state: runs ? 'TASK_RUNNING' : 'TASK_STAGING',
    ports: [task.port],
    ipAddresses: [],
    slaveId: 'agent-1',
    version: app.createdAt,
    stagedAt: app.createdAt,
    ...(runs ? { startedAt: app.createdAt } : {}),
    healthCheckResults: runs ? [{ alive: !isUnfit(task), consecutiveFailures: isUnfit(task) ? 3 : 0 }] : [],
  };
}

const isUnfit = (task: SimulatedTask): boolean => task.sick || task.ill;

const failureOf = (app: SimulatedApp, task: SimulatedTask) => ({
  appId: app.id,
  state: 'TASK_FAILED',
  message: task.ill ? 'the health check passes no more' : 'the health check never passed',
  taskId: task.id,
  timestamp: app.createdAt,
  host: HOST,
});
