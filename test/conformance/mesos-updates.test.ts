/** How long an update is insisted on, on both kinds of Mesos. */
import { expect, jest } from '@jest/globals';
import { TestFramework } from '../integration/mesos-framework.ts';
import { until } from '../integration/mesos-until.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';

jest.setTimeout(30_000);

describeOnEachMesos('an update', { agents: [{ name: 'a', attributes: 'env:fat' }] }, (under) => {
  under.it('is repeated after ten seconds until it is acknowledged, and the next one waits for that', async () => {
    const test = await new TestFramework(under.mesos.masterUrl).connected();
    test.acknowledging = false;
    await test.launch('a', { task_id: { value: 'short' }, command: { value: 'exit 0' } });
    const copies = await until('a second copy', 15_000, () => (test.updates.length > 1 ? test.updates : undefined));
    expect(copies.map(({ state }) => state)).toEqual(['TASK_STARTING', 'TASK_STARTING']);
    expect(copies[1]).toEqual(copies[0]);
    for (const state of ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED'] as const) {
      await test.client.acknowledge(await test.state('short', state));
    }
    const [starting, , running, finished] = test.updates;
    expect([running?.state, finished?.state]).toEqual(['TASK_RUNNING', 'TASK_FINISHED']);
    expect(new Set([starting, running, finished].map((status) => status?.uuid)).size).toBe(3);
  });
});
