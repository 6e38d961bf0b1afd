import { expect, it, jest } from '@jest/globals';
import { ask, webCommand } from '../../integration/marathon-rig.ts';
import { until } from '../../integration/mesos-until.ts';
import { onBothProfiles, SLEEP } from './rig.ts';

jest.setTimeout(180_000);

/** What Marathon calls a second here. */
const SECOND_MS = 200;

/** All reasons why an offer was not used, in the order they are looked at. */
const REASONS = [
  'UnfulfilledRole',
  'UnfulfilledConstraint',
  'NoCorrespondingReservationFound',
  'AgentMaintenance',
  'InsufficientCpus',
  'InsufficientMemory',
  'InsufficientDisk',
  'InsufficientGpus',
  'InsufficientPorts',
  'DeclinedScarceResources',
];

const CHECK = { protocol: 'HTTP', path: '/', portIndex: 0, intervalSeconds: 1, timeoutSeconds: 5, delaySeconds: 0 };
const server = (options: { readonly refusals?: number } = {}) => ({
  cmd: webCommand(options),
  cpus: 0.1,
  mem: 32,
  portDefinitions: [{ port: 0, name: 'http-api' }],
});

onBothProfiles(
  (rig) => {
    const app = async (id: string) => (await rig.call('GET', `/v2/apps${id}?embed=app.readiness`)).body.app;
    const queueOf = async (id: string) =>
      (await rig.call('GET', '/v2/queue')).body.queue.find((item: { app: { id: string } }) => item.app.id === id);
    /** What the queue says of an app that waits, once all agents were asked. */
    const waiting = (id: string) =>
      until(`${id} was offered both agents`, 30_000, async () => {
        const item = await queueOf(id);
        return item?.processedOffersSummary.rejectSummaryLastOffers[0].processed === 2 ? item : undefined;
      });
    const declined = (item: { processedOffersSummary: { rejectSummaryLastOffers: object[] } }, reason: string) =>
      item.processedOffersSummary.rejectSummaryLastOffers.find((one) => Reflect.get(one, 'reason') === reason);
    const hostsOf = (tasks: readonly { readonly host: string }[]) => tasks.map(({ host }) => host).toSorted();

    it('45. A task is replaced at one failure more than its maximum; those of its grace before a success don’t count', async () => {
      const check = { ...CHECK, gracePeriodSeconds: 100, maxConsecutiveFailures: 2 };
      // At first it says no more often than it may.
      await rig.call('POST', '/v2/apps', { id: '/45', ...server({ refusals: 5 }), healthChecks: [check] });
      const green = await until('it is healthy', 20_000, async () => {
        const now = await app('/45');
        return now.tasksHealthy === 1 && now.deployments.length === 0 ? now : undefined;
      });
      const [task] = green.tasks;
      const failures = () =>
        rig.events.filter((event) => event.eventType === 'failed_health_check_event' && event['appId'] === '/45');
      // It was seen to fail, and that was not counted.
      await rig.told('instance_health_changed_event', { runSpecId: '/45', healthy: false });
      expect(task.healthCheckResults).toMatchObject([{ alive: true, consecutiveFailures: 0 }]);
      expect(failures()).toEqual([]);

      await ask(task, '/break');
      await rig.told('unhealthy_instance_kill_event', { taskId: task.id });
      expect(failures()).toHaveLength(3);
      await until('another one is healthy', 20_000, async () => {
        const now = await app('/45');
        return now.tasksHealthy === 1 && now.tasks.length === 1 && now.tasks[0].id !== task.id;
      });
      expect((await app('/45')).lastTaskFailure).toMatchObject({ taskId: task.id, state: 'TASK_KILLED' });
    });

    it('46. A task without checks counts neither as healthy nor as unhealthy', async () => {
      const created = await rig.create({ id: '/46' });
      expect(created).toMatchObject({ tasksRunning: 1, tasksHealthy: 0, tasksUnhealthy: 0 });
      expect(created.tasks).toMatchObject([{ healthCheckResults: [] }]);
      expect(await rig.call('GET', '/v2/tasks')).toMatchObject({ body: { tasks: [{ healthCheckResults: [] }] } });
    });

    it('47. A deployment waits for the readiness check, whose results can be read meanwhile', async () => {
      const readinessCheck = { path: '/', intervalSeconds: 2, timeoutSeconds: 1, preserveLastResponse: true };
      await rig.call('POST', '/v2/apps', {
        id: '/47',
        ...server({ refusals: Number.MAX_SAFE_INTEGER }),
        readinessChecks: [readinessCheck],
      });
      const waits = await until('it was asked and said no', 30_000, async () => {
        const now = await app('/47');
        return now.readinessCheckResults[0]?.lastResponse?.status === 503 ? now : undefined;
      });
      expect(waits.tasksRunning).toBe(1);
      expect(waits.readinessCheckResults).toMatchObject([{ name: 'readinessCheck', ready: false }]);
      const [running] = (await rig.call('GET', '/v2/deployments')).body;
      expect(running.id).toBe(waits.deployments[0].id);
      expect(running.currentActions[0].readinessCheckResults).toMatchObject([{ ready: false }]);
      await ask(waits.tasks[0], '/ready');
      await rig.told('deployment_success', { id: running.id });
    });

    it('48. COMMAND checks are run beside the task', async () => {
      const checked = (value: string) => ({
        ...SLEEP,
        cmd: 'touch here; exec sleep 1000',
        healthChecks: [{ ...CHECK, protocol: 'COMMAND', path: undefined, portIndex: undefined, command: { value } }],
      });
      await rig.call('POST', '/v2/apps', { id: '/48/green', ...checked('test -e here') });
      await rig.call('POST', '/v2/apps', { id: '/48/red', ...checked('test -e there') });
      await until('one is healthy', 20_000, async () => (await app('/48/green')).tasksHealthy === 1);
      await until('its deployment is over', 30_000, async () => (await app('/48/green')).deployments.length === 0);
      expect(await app('/48/red')).toMatchObject({ tasksHealthy: 0 });
    });

    it('49. Of more unique instances than hosts the rest waits in the queue for its constraint', async () => {
      await rig.call('POST', '/v2/apps', { id: '/49', ...SLEEP, instances: 3, constraints: [['hostname', 'UNIQUE']] });
      await until('both hosts have one', 30_000, async () => (await app('/49')).tasksRunning === 2);
      const item = await waiting('/49');
      expect(item.count).toBe(1);
      expect(declined(item, 'UnfulfilledConstraint')).toEqual({
        reason: 'UnfulfilledConstraint',
        declined: 2,
        processed: 2,
      });
      expect(hostsOf((await app('/49')).tasks)).toEqual(['agent1', 'agent2']);
    });

    it('50. LIKE and IS use only agents with that attribute; who lacks it is refused by all but UNLIKE', async () => {
      const placed = async (name: string, constraint: readonly string[]) =>
        hostsOf((await rig.create({ id: `/50/${name}`, instances: 2, constraints: [constraint] })).tasks);
      expect(await placed('like', ['env', 'LIKE', 'fat'])).toEqual(['agent1', 'agent1']);
      expect(await placed('is', ['env', 'IS', 'fat'])).toEqual(['agent1', 'agent1']);
      expect(await placed('part', ['env', 'LIKE', 'u.*'])).toEqual(['agent2', 'agent2']);
      expect(await placed('has', ['disk', 'LIKE', '.*'])).toEqual(['agent1', 'agent1']);
      expect(await placed('lacks', ['disk', 'UNLIKE', 'ssd'])).toEqual(['agent2', 'agent2']);
      for (const [name, constraint] of [
        ['nowhere', ['planet', 'LIKE', '.*']],
        ['unique', ['planet', 'UNIQUE']],
        ['cluster', ['planet', 'CLUSTER']],
      ] as const) {
        await rig.call('POST', '/v2/apps', { id: `/50/${name}`, ...SLEEP, constraints: [constraint] });
        expect(declined(await waiting(`/50/${name}`), 'UnfulfilledConstraint')).toMatchObject({ declined: 2 });
      }
    });

    it('51. GROUP_BY over two values spreads evenly', async () => {
      const constraints = [['rack', 'GROUP_BY', '2']];
      const spread = hostsOf((await rig.create({ id: '/51', instances: 5, constraints })).tasks);
      const counts = ['agent1', 'agent2'].map((host) => spread.filter((one) => one === host).length);
      expect(counts.toSorted()).toEqual([2, 3]);
    });

    it('52. A crashing app waits longer each time up to the cap; the wait can be ended; its deployment is over', async () => {
      await rig.call('POST', '/v2/apps', {
        id: '/52',
        ...SLEEP,
        cmd: 'sleep 0.05; exit 1',
        backoffSeconds: 2,
        backoffFactor: 2,
        maxLaunchDelaySeconds: 20,
      });
      const ends = new Set<string>();
      const peaks: number[] = [];
      const item = await until('it waits for the cap', 30_000, async () => {
        const now = await queueOf('/52');
        for (const { eventType, taskId, taskStatus, appId } of rig.events as readonly Record<string, unknown>[]) {
          if (eventType === 'status_update_event' && appId === '/52' && taskStatus === 'TASK_FAILED')
            ends.add(`${taskId}`);
        }
        const left = now?.delay.timeLeftSeconds ?? 0;
        peaks[ends.size] = Math.max(peaks[ends.size] ?? 0, left);
        return ends.size >= 5 && left >= 17 ? now : undefined;
      });
      expect(item.delay.overdue).toBe(false);
      const told = rig.events as readonly Record<string, unknown>[];
      const at = (event: Record<string, unknown> | undefined) => Date.parse(`${event?.['timestamp']}`);
      for (const [failures, delay] of [
        [1, 2],
        [2, 4],
        [3, 8],
        [4, 16],
        [5, 20],
      ] as const) {
        // What is left is cut to whole seconds, and seen whenever it is asked for.
        expect(peaks[failures]).toBeLessThanOrEqual(delay);
        if (failures === 5) continue;
        const failed = [...ends][failures - 1];
        const end = told.find(({ taskId, taskStatus }) => taskId === failed && taskStatus === 'TASK_FAILED');
        const next = told.find(({ taskId, taskStatus }) => taskId === [...ends][failures] && taskStatus !== undefined);
        expect(at(next) - at(end)).toBeGreaterThanOrEqual(delay * SECOND_MS);
      }
      expect((await rig.call('GET', '/v2/deployments')).body).toEqual([]);
      expect((await rig.call('DELETE', '/v2/queue/52/delay')).status).toBe(204);
      await until('it may start at once', 30_000, async () => {
        const now = await queueOf('/52');
        return now === undefined || now.delay.timeLeftSeconds <= 2;
      });
      await until('it has started once more', 30_000, () =>
        rig.events.some(
          (event) =>
            event['appId'] === '/52' && event['taskStatus'] === 'TASK_RUNNING' && !ends.has(`${event['taskId']}`),
        ),
      );
    });

    it('53. A queue item counts processed and unused offers and lists all reasons', async () => {
      await rig.call('POST', '/v2/apps', { id: '/53', ...SLEEP, mem: 100_000 });
      const { processedOffersSummary: summary } = await waiting('/53');
      expect(summary.processedOffersCount).toBeGreaterThanOrEqual(2);
      expect(summary.unusedOffersCount).toBe(summary.processedOffersCount);
      for (const list of [summary.rejectSummaryLastOffers, summary.rejectSummaryLaunchAttempt]) {
        expect(list.map(({ reason }: { reason: string }) => reason)).toEqual(REASONS);
      }
      const declinedOf = Object.fromEntries(
        summary.rejectSummaryLastOffers.map((one: { reason: string; declined: number; processed: number }) => [
          one.reason,
          [one.declined, one.processed],
        ]),
      );
      // A funnel: what one stage refuses no later one sees.
      expect(declinedOf).toMatchObject({
        UnfulfilledRole: [0, 2],
        InsufficientCpus: [0, 2],
        InsufficientMemory: [2, 2],
        InsufficientDisk: [0, 0],
        DeclinedScarceResources: [0, 0],
      });
    });
  },
  { secondMs: SECOND_MS },
);
