/** An app's life by marathon-node, watched by marathon-event-bus-client: `node marathon.ts http://HOST:PORT`. */
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

/** The libraries, as far as they are used here. */
interface App {
  readonly id: string;
  readonly instances: number;
  readonly version: string;
  readonly tasksRunning: number;
  readonly deployments: readonly object[];
  readonly env?: object;
}
interface Task {
  readonly id: string;
  readonly appId: string;
}
interface Started {
  readonly deploymentId: string;
  readonly version: string;
}
interface Marathon {
  readonly app: {
    getList(query?: object): Promise<{ apps: readonly App[] }>;
    create(app: object): Promise<App>;
    getOne(id: string, query?: object): Promise<{ app: App }>;
    update(id: string, app: object, force?: boolean): Promise<Started>;
    destroy(id: string, force?: boolean): Promise<Started>;
    restart(id: string, force?: boolean): Promise<Started>;
    getTasks(id: string): Promise<{ tasks: readonly Task[] }>;
    killTasks(id: string, query: object): Promise<{ tasks: readonly Task[] }>;
    killTask(id: string, taskId: string, scale?: boolean): Promise<{ task: Task }>;
    getVersions(id: string): Promise<{ versions: readonly string[] }>;
    getVersion(id: string, version: string): Promise<App>;
  };
  readonly deployments: {
    getList(): Promise<readonly { readonly id: string }[]>;
    destroy(id: string, force?: boolean): Promise<Started | undefined>;
  };
  readonly groups: {
    create(group: object): Promise<Started>;
    getOne(id: string): Promise<{ id: string; apps: readonly App[] }>;
    update(id: string, group: object, force?: boolean): Promise<Started>;
    destroy(id: string, force?: boolean): Promise<Started>;
  };
  readonly tasks: {
    getList(): Promise<{ tasks: readonly Task[] }>;
    kill(body: { ids: readonly string[] }, scale?: boolean, wipe?: boolean): Promise<Started>;
  };
  readonly queue: {
    get(): Promise<{ queue: readonly { app: App; delay: object }[] }>;
    resetDelay(id: string): Promise<unknown>;
  };
  readonly info: { get(): Promise<{ name: string; version: string }> };
  readonly leader: { get(): Promise<{ leader: string }> };
  readonly misc: { ping(): Promise<string> };
}
interface EventBus {
  on(event: string, listener: (data: { readonly error?: unknown }) => void): void;
  subscribe(): void;
  unsubscribe(): void;
}

const load = createRequire(import.meta.url);
const url = process.argv[2] ?? '';
const marathon = (load('marathon-node') as (url: string) => Marathon)(url);
const Bus = load('marathon-event-bus-client') as new (options: object) => EventBus;

const tell = (step: string, result: object) => process.stdout.write(`${JSON.stringify({ step, ...result })}\n`);

async function until<T>(what: string, condition: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50)) {
    const value = await condition();
    if (value) return value;
  }
  throw new Error(`not in time: ${what}`);
}

const settled = () => until('no deployment', async () => (await marathon.deployments.getList()).length === 0);
const rests = (id: string, tasks: number) =>
  until(`${id} has ${tasks} tasks`, async () => {
    const { app } = await marathon.app.getOne(id);
    return app.tasksRunning === tasks && app.deployments.length === 0 && app;
  });
const ids = async (id: string) => (await marathon.app.getTasks(id)).tasks.map((task) => task.id);
/** How a call was refused: status and message. */
const refused = (call: Promise<unknown>) =>
  call.then(
    () => 'not at all',
    ({ statusCode, error }) => [statusCode, error.message],
  );

const TYPES = ['event_stream_attached', 'deployment_info', 'deployment_success', 'status_update_event'];
const MORE_TYPES = [
  'deployment_step_success',
  'group_change_success',
  'instance_changed_event',
  'app_terminated_event',
];
const seen = new Set<string>();
const errors: string[] = [];

/** Resolves when the bus has told of its own connection. */
async function listen(): Promise<EventBus> {
  const eventTypes = [...TYPES, ...MORE_TYPES];
  const note = (type: string) => seen.add(type);
  const handlers = Object.fromEntries(eventTypes.map((type) => [type, (name: string, _data: object) => note(name)]));
  const { hostname, port } = new URL(url);
  const bus = new Bus({ marathonHost: hostname, marathonPort: port, eventTypes, handlers });
  bus.on('error', ({ error }) => errors.push(JSON.stringify(error)));
  bus.subscribe();
  await until('the bus is attached', async () => seen.has('event_stream_attached'));
  return bus;
}

const sleeper = (id: string, instances: number, more: object = {}) => ({
  ...{ id, instances, cmd: 'exec sleep 1000', cpus: 0.1, mem: 16, ...more },
});

async function service(): Promise<void> {
  const { name, version } = await marathon.info.get();
  tell('service', { name, version, ...(await marathon.leader.get()), ping: await marathon.misc.ping() });
}

async function life(): Promise<void> {
  const created = await marathon.app.create(sleeper('/web', 2, { env: { A: '1' }, labels: { team: 'shop' } }));
  const first = await rests('/web', 2);
  const { apps } = await marathon.app.getList({ label: 'team==shop', embed: 'apps.tasks' });
  tell('created', { deployments: created.deployments.length, listed: apps.map(({ id }) => id) });

  await marathon.app.update('/web', { instances: 3, env: { A: '2' } });
  const second = await rests('/web', 3);
  const { versions } = await marathon.app.getVersions('/web');
  const old = await marathon.app.getVersion('/web', first.version);
  await marathon.app.update('/web', { version: first.version });
  const back = await rests('/web', 2);
  tell('updated', { env: second.env, versions: versions.length, old: old.env, back: back.env });

  const before = await ids('/web');
  await marathon.app.restart('/web');
  const after = await rests('/web', 2).then(() => ids('/web'));
  const [one = '', two = ''] = after;
  const killed = await marathon.app.killTask('/web', one);
  await until('a replacement', async () => !(await ids('/web')).includes(one) && rests('/web', 2));
  await marathon.tasks.kill({ ids: [two] }, true);
  await rests('/web', 1);
  const { tasks } = await marathon.app.killTasks('/web', { host: 'nowhere' });
  tell('killed', {
    restarted: before.every((id) => !after.includes(id)),
    ...{ one: killed.task.id === one, nowhere: tasks.length, all: (await marathon.tasks.getList()).tasks.length },
  });
}

async function waiting(): Promise<void> {
  await marathon.app.create(sleeper('/large', 1, { cpus: 64 }));
  const [item] = await until('it waits', async () => {
    const { queue } = await marathon.queue.get();
    return queue.length > 0 && queue;
  });
  const locked = await refused(marathon.app.update('/large', { mem: 32 }));
  await marathon.queue.resetDelay('/large');
  const [deployment] = await marathon.deployments.getList();
  await marathon.deployments.destroy(deployment?.id ?? '', true);
  const left = (await marathon.deployments.getList()).length;
  await marathon.app.destroy('/large');
  await settled();
  tell('waiting', { queued: item?.app.id, locked, left, gone: await refused(marathon.app.getOne('/large')) });
}

async function groups(): Promise<void> {
  await marathon.groups.create({ id: '/shop', apps: [sleeper('db', 1), sleeper('ui', 1)] });
  await settled();
  const { apps } = await marathon.groups.getOne('shop');
  await marathon.groups.update('shop', { scaleBy: 2 });
  await rests('/shop/db', 2);
  await marathon.groups.destroy('shop', true);
  await settled();
  tell('groups', { apps: apps.map(({ id }) => id).toSorted(), gone: await refused(marathon.groups.getOne('shop')) });
}

const bus = await listen();
await service();
await life();
await waiting();
await groups();
tell('refusals', {
  duplicate: await refused(marathon.app.create(sleeper('/web', 1))),
  invalid: await refused(marathon.app.create(sleeper('/bad', 1, { cpus: 'x' }))),
});
await marathon.app.destroy('/web');
await until('every type of event', async () => seen.size === TYPES.length + MORE_TYPES.length);
tell('events', { seen: [...seen].toSorted(), errors });
bus.unsubscribe();
