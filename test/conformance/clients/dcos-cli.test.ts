import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { until } from '../../integration/mesos-until.ts';
import { dcosCli } from './clients.ts';
import { type DcosCommand, dcosOn } from './dcos-command.ts';
import { describeWithClient } from './describe-with-client.ts';
import { type PlainCell, startPlainCell } from './plain-cell.ts';
import type { Ran } from './run-client.ts';

/** The command line of DC/OS, by which most people knew Marathon, with its own words for what Marathon answers. */

jest.setTimeout(120_000);

const SLEEP = { cmd: 'exec sleep 1000', cpus: 0.1, mem: 16 };
/** More than an agent has, so its deployment stays. */
const TOO_LARGE = { ...SLEEP, id: '/large', cpus: 64 };

await describeWithClient('the dcos command', dcosCli, (client) => {
  let cell: PlainCell;
  let command: DcosCommand;

  beforeAll(async () => {
    cell = await startPlainCell();
    command = dcosOn(cell, client);
  });
  afterAll(async () => {
    command.remove();
    await cell.stop();
  });

  const dcos = (words: readonly string[], input?: object) => command.run(['marathon', ...words], input);

  /** What the command prints when it succeeds, without a word on stderr. */
  const says = async (words: readonly string[], input?: object): Promise<string> => {
    const { code, stdout, stderr } = await dcos(words, input);
    expect({ words, code, stderr }).toEqual({ words, code: 0, stderr: '' });
    return stdout;
  };
  const tells = async (words: readonly string[]): Promise<unknown> => JSON.parse(await says(words));
  const taskIds = async (app: string) => (await says(['task', 'list', '--quiet', app])).split('\n').filter(Boolean);

  /** The deployment that the command says it made, watched by the command to its end. */
  const deploys = async (words: readonly string[], input?: object): Promise<void> => {
    const id = deploymentIn(await says(words, input));
    await says(['deployment', 'watch', '--max-count=30', id]);
    expect(await cell.client.deployments()).toEqual([]);
  };
  const deploymentIn = (printed: string): string => {
    const [, id] = /^Created deployment:? ([0-9a-f-]{36})\n$/.exec(printed) ?? [];
    if (id === undefined) throw new Error(`no deployment: ${printed}`);
    return id;
  };
  const fails = ({ code, stdout, stderr }: Ran) => ({ failed: code === 1, stdout, stderr });

  it('tells about Marathon', async () => {
    expect(await tells(['about'])).toMatchObject({ name: 'marathon', version: '1.7.236', elected: true });
    expect(await says(['ping', '--once'])).toBe('Marathon ping response[1x]: "pong"\n');
    expect(await tells(['plugin', 'list', '--json'])).toEqual({ plugins: [] });
    const pods = await dcos(['pod', 'list']);
    expect(pods).toMatchObject({ code: 1, stderr: 'This command is not supported by your version of Marathon\n' });
  });

  it('adds an app, watches its deployment, lists and shows it', async () => {
    await deploys(['app', 'add'], { id: '/web', instances: 2, ...SLEEP });
    expect(await says(['app', 'list', '--quiet'])).toBe('/web\n');
    expect(await tells(['app', 'list', '--json'])).toMatchObject([{ id: '/web', instances: 2, tasksRunning: 2 }]);
    expect(await tells(['app', 'show', 'web'])).toMatchObject({ id: '/web', ...SLEEP, tasksRunning: 2 });
    expect(fails(await dcos(['app', 'add'], { id: '/web', ...SLEEP }))).toEqual({
      failed: true,
      stdout: '',
      stderr: "Application '/web' already exists\n",
    });
    expect((await dcos(['app', 'show', 'nothing'])).stderr).toBe("Error: App '/nothing' does not exist\n");
  });

  it('lists and shows tasks', async () => {
    const tasks = (await tells(['task', 'list', '--json', 'web'])) as { readonly id: string; readonly host: string }[];
    expect(tasks).toHaveLength(2);
    for (const task of tasks)
      expect(await tells(['task', 'show', task.id])).toMatchObject({ id: task.id, appId: '/web' });
    const table = await says(['task', 'list', 'web']);
    for (const { id, host } of tasks) expect(table).toMatch(new RegExp(`/web .* ${host} +${id}`));
    expect((await dcos(['task', 'show', 'web.nothing'])).stderr).toBe("Task 'web.nothing' does not exist\n");
  });

  it('updates an app, and shows its former version', async () => {
    await deploys(['app', 'update', 'web', 'mem=20']);
    await deploys(['app', 'update', 'web'], { env: { A: '1' } });
    expect(await tells(['app', 'show', 'web'])).toMatchObject({ mem: 20, env: { A: '1' } });
    expect(await tells(['app', 'show', '--app-version=-2', 'web'])).toMatchObject({ mem: 16 });
    expect(await tells(['app', 'version', 'list', 'web'])).toHaveLength(3);
    expect(await tells(['app', 'version', 'list', '--max-count=1', 'web'])).toHaveLength(1);
    const { stderr } = await dcos(['app', 'update', 'web', 'cpus="a string"']);
    expect(stderr).toContain('{"path":"/cpus","errors":["error.expected.jsnumber"]}');
  });

  it('restarts, stops and starts an app', async () => {
    const before = await taskIds('web');
    await deploys(['app', 'restart', 'web']);
    const after = await taskIds('web');
    expect(after).toHaveLength(2);
    expect(before.filter((id) => after.includes(id))).toEqual([]);
    await deploys(['app', 'stop', 'web']);
    expect(await taskIds('web')).toEqual([]);
    const again = await dcos(['app', 'stop', 'web']);
    expect(again).toMatchObject({ code: 1, stdout: "Application 'web' already stopped: 0 instances.\n" });
    await deploys(['app', 'start', 'web', '4']);
    expect(await taskIds('web')).toHaveLength(4);
  });

  it('kills tasks: one, those of a host, some with the count lowered, and all', async () => {
    const four = await cell.client.getApp('/web');
    const [one, ...others] = four?.tasks ?? [];
    if (one === undefined) throw new Error('no task');
    expect(JSON.parse(await says(['task', 'stop', one.id]))).toMatchObject({ id: one.id, appId: '/web' });
    const replaced = await running(4, [one.id]);
    const scaled = await says(['task', 'kill', '--scale', ...others.slice(0, 2).map(({ id }) => id)]);
    await says(['deployment', 'watch', deploymentIn(scaled)]);
    const two = await running(2, [one.id, ...others.slice(0, 2).map(({ id }) => id)]);
    expect(replaced.filter(({ id }) => two.some((task) => task.id === id))).toHaveLength(2);

    const [{ host } = { host: '' }] = two;
    const there = two.filter((task) => task.host === host).map(({ id }) => id);
    const killed = await says(['app', 'kill', `--host=${host}`, 'web']);
    for (const { id } of two) expect(killed.includes(id)).toBe(there.includes(id));
    await running(2, there);
    expect(await says(['app', 'kill', '--scale', 'web'])).toMatch(/^Started deployment: \{.*'deploymentId'/);
    await running(0, []);
    expect(await tells(['app', 'show', 'web'])).toMatchObject({ instances: 0 });
  });

  /** The tasks of the app when there are so many, none of them one of those that were killed. */
  const running = (count: number, gone: readonly string[]) =>
    until(`${count} tasks run`, 20_000, async () => {
      const app = await cell.client.getApp('/web');
      const tasks = app?.tasks.filter(({ state }) => state === 'TASK_RUNNING') ?? [];
      return tasks.length === count && !tasks.some(({ id }) => gone.includes(id)) && app?.deployments.length === 0
        ? tasks
        : undefined;
    });

  it('shows a deployment that stays and why, and rolls it back', async () => {
    const id = deploymentIn(await says(['app', 'add'], TOO_LARGE));
    expect(await tells(['deployment', 'list', '--json'])).toMatchObject([{ id, affectedApps: ['/large'] }]);
    expect(await says(['deployment', 'list', '/large'])).toMatch(new RegExp(`^/large +- +scale +1/2 +${id}`, 'm'));
    await until('its offers were counted', 30_000, async () => {
      const queued = (await tells(['debug', 'list', '--json'])) as { readonly app: { readonly id: string } }[];
      const text = JSON.stringify(queued);
      return (
        queued[0]?.app.id === '/large' && /"declined":[1-9]\d*,"processed":\d+,"reason":"InsufficientCpus"/.test(text)
      );
    });
    expect(await says(['debug', 'list'])).toMatch(/^\/large .* 1 +True /m);
    expect(await says(['debug', 'summary', '/large'])).toMatch(/^CPUS +64 +0 \/ \d+ +0\.00%/m);
    const locked = await dcos(['app', 'update', 'large', 'mem=32']);
    expect(locked.stderr).toBe('Changes blocked: deployment already in progress for app.\n');
    expect(await says(['app', 'update', '--force', 'large', 'cpus=0.1'])).toMatch(/^Created deployment /);
    await until('it runs', 20_000, async () => (await cell.client.getApp('/large'))?.tasksRunning === 1);

    const [stuck] = [deploymentIn(await says(['app', 'update', '--force', 'large', 'cpus=64']))];
    expect(JSON.parse(await says(['deployment', 'rollback', stuck]))).toMatchObject({
      deploymentId: expect.any(String),
      version: expect.any(String),
    });
    await until('it is what it was', 20_000, async () => {
      const app = await cell.client.getApp('/large');
      return app?.deployments.length === 0 && app.cpus === 0.1 && app.tasksRunning === 1;
    });
  });

  it('stops a deployment half way, and removes the app', async () => {
    const id = deploymentIn(await says(['app', 'update', 'large', 'cpus=64']));
    expect(await says(['deployment', 'stop', id])).toBe('');
    expect((await dcos(['deployment', 'list'])).stderr).toBe('There are no deployments\n');
    expect(await tells(['app', 'show', 'large'])).toMatchObject({ cpus: 64 });
    expect(await says(['app', 'remove', 'large'])).toBe('');
    expect((await dcos(['app', 'show', 'large'])).stderr).toBe("Error: App '/large' does not exist\n");
  });

  it('adds, lists, shows, scales, updates and removes groups', async () => {
    const app = (id: string, instances: number) => ({ id, instances, ...SLEEP });
    await deploys(['group', 'add'], {
      id: '/shop',
      apps: [app('db', 1)],
      groups: [{ id: 'web', apps: [app('ui', 2)] }],
    });
    expect(await says(['group', 'list'])).toMatch(/^\/shop +2 *$/m);
    expect(await tells(['group', 'show', 'shop'])).toMatchObject({ id: '/shop', apps: [{ id: '/shop/db' }] });
    await deploys(['group', 'scale', 'shop', '1.5']);
    expect(await tells(['app', 'show', 'shop/web/ui'])).toMatchObject({ instances: 3, tasksRunning: 3 });
    expect(await tells(['app', 'show', 'shop/db'])).toMatchObject({ instances: 2, tasksRunning: 2 });
    await deploys(['group', 'update', 'shop', 'groups=[]']);
    expect(await says(['app', 'list', '--quiet'])).not.toContain('/shop/web/ui');
    expect(await says(['group', 'remove', 'shop'])).toBe('');
    expect((await dcos(['group', 'show', 'shop'])).stderr).toBe("Error: Group '/shop' does not exist\n");
    // A group that is not there is made by scaling it.
    await deploys(['group', 'scale', 'later', '2']);
    expect(await tells(['group', 'show', 'later'])).toMatchObject({ id: '/later', apps: [] });
  });
});
