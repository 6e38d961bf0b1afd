import { join } from 'node:path';
import { expect, jest } from '@jest/globals';
import { describeOnEachMesos } from '../../mesos-rig/describe-on-each-mesos.ts';
import { pymesos } from './clients.ts';
import { describeWithClient } from './describe-with-client.ts';
import { runClient } from './run-client.ts';
import { toldIn } from './told.ts';

/** pymesos, a framework without PARTITION_AWARE and an operator with its event stream, both in JSON. */

jest.setTimeout(60_000);

await describeWithClient('pymesos', pymesos, (command) => {
  describeOnEachMesos('on a Mesos', { agents: [{ name: 'a', attributes: 'env:fat' }] }, (under) => {
    under.it('lives the life of a framework and watches it as an operator', async () => {
      const { host, port } = new URL(under.mesos.masterUrl);
      const { stdout, stderr } = await runClient(command, [join(import.meta.dirname, 'pymesos/program.py'), host]);
      expect(stderr.split('\n').filter((line) => line.includes('[ERROR]') || line.includes('Traceback'))).toEqual([]);
      expect(Object.fromEntries(toldIn(stdout))).toEqual({
        registered: { version: '1.11.0', port: Number(port) },
        offered: { hostname: 'a', attributes: ['fat'] },
        operator: {
          ...{ healthy: true, version: '1.11.0', agents: ['a'], tasks: ['one', 'two'], frameworks: ['pymesos'] },
          state: ['get_agents', 'get_executors', 'get_frameworks', 'get_tasks'],
        },
        ran: {
          states: {
            one: ['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLED'],
            two: ['TASK_STARTING', 'TASK_RUNNING'],
          },
          reconciled: { two: 'TASK_RUNNING', ghost: 'TASK_LOST' },
          ...{ heartbeats: true, errors: [] },
          watched: [
            ...['added one', 'added two', 'framework added', 'framework removed'],
            ...['updated TASK_KILLED', 'updated TASK_RUNNING', 'updated TASK_STARTING'],
          ],
        },
      });
    });
  });
});
