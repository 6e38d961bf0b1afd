import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { MarathonClient } from '../../../activities/marathon/client.ts';
import { type MarathonCell, startMarathon } from '../../../cell/marathon/marathon.ts';
import { settled } from '../../integration/marathon-rig.ts';
import { until } from '../../integration/mesos-until.ts';
import { describeOnEachMesos } from '../../mesos-rig/describe-on-each-mesos.ts';
import { mesosDns } from './clients.ts';
import { describeWithClient } from './describe-with-client.ts';
import { runClient } from './run-client.ts';

/** Mesos-DNS, which makes DNS records of a master's `/state`: of agents, frameworks, tasks and the ports they announce. */

jest.setTimeout(60_000);

type Records = Readonly<Record<string, readonly string[]>>;

const SLEEP = { cmd: 'exec sleep 1000', cpus: 0.1, mem: 32 };

await describeWithClient('Mesos-DNS', mesosDns, (command) => {
  describeOnEachMesos('reads the state', { agents: [{ name: 'a', attributes: 'env:fat' }] }, (under) => {
    let marathon: MarathonCell;
    let stateDir: string;

    beforeAll(async () => {
      stateDir = mkdtempSync(join(tmpdir(), 'mesos-dns-'));
      const mesosMaster = under.mesos.masterUrl;
      marathon = await startMarathon({ host: '127.0.0.1', port: 0, mesosMaster, stateDir });
      const client = new MarathonClient({ url: marathon.url });
      await until('it is registered with Mesos', 60_000, async () => (await client.info()).frameworkId);
    });
    afterAll(async () => {
      await marathon.stop();
      rmSync(stateDir, { recursive: true });
    });

    const records = async (): Promise<{ readonly a: Records; readonly srv: Records }> => {
      const { stdout, stderr } = await runClient(command, [new URL(under.mesos.masterUrl).host]);
      expect(stderr).toBe('');
      return JSON.parse(stdout);
    };

    under.it('of tasks with named ports', async () => {
      const client = new MarathonClient({ url: marathon.url });
      const portDefinitions = [
        { port: 0, name: 'http' },
        { port: 0, name: 'admin' },
      ];
      await client.createApp({ id: '/shop/web', instances: 2, portDefinitions, ...SLEEP });
      const { tasks } = await settled(client, '/shop/web', 2);
      const { a, srv } = await records();
      for (const name of ['leader', 'master', 'slave', 'marathon', 'web.shop.marathon']) {
        expect({ name, a: a[`${name}.mesos.`] }).toEqual({ name, a: ['127.0.0.1'] });
      }
      expect(srv['_leader._tcp.mesos.']).toEqual([`leader.mesos.:${new URL(under.mesos.masterUrl).port}`]);
      expect(srv['_slave._tcp.mesos.']).toEqual([expect.stringMatching(/^slave\.mesos\.:\d+$/)]);
      const portsOf = (name: string) => srv[name]?.map((target) => Number(target.split(':')[1])).toSorted();
      const announced = (index: number) => tasks.map(({ ports }) => ports[index]).toSorted();
      expect(portsOf('_http._web.shop._tcp.marathon.mesos.')).toEqual(announced(0));
      expect(portsOf('_admin._web.shop._tcp.marathon.mesos.')).toEqual(announced(1));
      expect(portsOf('_web.shop._tcp.marathon.slave.mesos.')).toEqual([...announced(0), ...announced(1)].toSorted());
    });

    under.it('of nothing, when the tasks are gone', async () => {
      const client = new MarathonClient({ url: marathon.url });
      await client.deleteApp('/shop/web');
      await until('no record of the app is left', 20_000, async () => {
        const { a, srv } = await records();
        return ![...Object.keys(a), ...Object.keys(srv)].some((name) => name.includes('shop'));
      });
    });
  });
});
