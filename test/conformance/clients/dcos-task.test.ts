import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { settled } from '../../integration/marathon-rig.ts';
import { until } from '../../integration/mesos-until.ts';
import { dcosCli } from './clients.ts';
import { type DcosCommand, dcosOn } from './dcos-command.ts';
import { describeWithClient } from './describe-with-client.ts';
import { type PlainCell, startPlainCell } from './plain-cell.ts';

/**
 * What the command line of DC/OS shows of Mesos itself: frameworks, tasks and the files of their sandboxes. It asks for
 * `/state.json` and the like, which Mesos no longer answers unless the cell is told to.
 */

jest.setTimeout(120_000);

await describeWithClient('the dcos command, of Mesos', dcosCli, (client) => {
  let cell: PlainCell;
  let command: DcosCommand;

  beforeAll(async () => {
    cell = await startPlainCell({ jsonAliases: true });
    command = dcosOn(cell, client);
    const cmd = 'echo hello; echo oops >&2; exec sleep 1000';
    await cell.client.createApp({ id: '/shop/web', cmd, cpus: 0.1, mem: 16 });
    await settled(cell.client, '/shop/web', 1);
  });
  afterAll(async () => {
    command.remove();
    await cell.stop();
  });

  const says = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await command.run(words);
    expect({ words, code, stderr }).toEqual({ words, code: 0, stderr: '' });
    return stdout;
  };

  it('lists frameworks', async () => {
    expect(await says('service')).toMatch(/^marathon +127\.0\.0\.1 +True +1 +0\.1 +16\.0 +0\.0 +\S+-0000 *$/m);
  });

  it('lists tasks', async () => {
    const app = await cell.client.getApp('/shop/web');
    const [task] = app?.tasks ?? [];
    expect(await says('task')).toMatch(
      new RegExp(`^web\\.shop +${task?.host} +\\S+ +R +${task?.id} +${task?.slaveId} `, 'm'),
    );
    expect(JSON.parse(await says('task', '--json', 'web'))).toMatchObject([
      { id: task?.id, name: 'web.shop', state: 'TASK_RUNNING', slave_id: task?.slaveId },
    ]);
  });

  it('shows the files of a sandbox', async () => {
    expect((await says('task', 'ls', 'web')).split(/\s+/)).toEqual(expect.arrayContaining(['stderr', 'stdout']));
    // It runs, but may not have written yet.
    await until('it has written', 20_000, async () => (await says('task', 'log', 'web', 'stderr')) === 'oops\n');
    expect(await says('task', 'log', '--lines=1', 'web')).toBe('hello\n');
  });
});
