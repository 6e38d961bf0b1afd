import { get } from 'node:http';
import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { readAgentState, readSandboxFile, sandboxOf } from '../../activities/mesos/agent-files.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { type MarathonRig, settled, startRig } from './marathon-rig.ts';
import { PROBE_IMAGE, type TestEngine, testEngine } from './mesos-engine.ts';
import { until } from './mesos-until.ts';

jest.setTimeout(240_000);

const NETWORK = 'slipway-inner';
const APP = '/inner/probe';

let engine: TestEngine;
let network: { remove(): Promise<unknown> } | undefined;
let subnet: string;

beforeAll(async () => {
  engine = await testEngine();
  const created = await engine.docker.createNetwork({ Name: NETWORK, Driver: 'bridge' });
  network = created;
  subnet = (await created.inspect()).IPAM?.Config?.[0]?.Subnet ?? '';
});
afterAll(async () => {
  await network?.remove();
  await engine?.stop();
});

const setup = async () => ({
  // An address, so that Marathon finds published ports.
  agents: [{ name: '127.0.0.1', attributes: 'env:prod', mem: 1024 }],
  dockerSocket: engine.socketPath,
});

const byMarathon = { protocol: 'HTTP', path: '/', port: 8080 };
/** Of the first port, inside the container's own network. */
const byTheAgent = { protocol: 'MESOS_HTTP', path: '/', portIndex: 0 };

const EVERY_SECOND = { gracePeriodSeconds: 20, intervalSeconds: 1, timeoutSeconds: 20, delaySeconds: 0 };

describeOnEachMesos('an app on a network of its own', setup, (under) => {
  let rig: MarathonRig;

  beforeAll(async () => {
    rig = await startRig(under.mesos);
  });
  afterAll(() => rig?.stop());

  under.it(
    'is attached to it by name, is reached both ways, has what its parameters ask, and leaves nothing',
    async () => {
      // The executor of the real one does not look after health.
      const checks = under.kind === 'real' ? [byMarathon] : [byMarathon, byTheAgent];
      await rig.client.createApp({
        id: APP,
        args: ['tell-and-serve', '8080'],
        cpus: 0.1,
        mem: 16,
        networks: [{ mode: 'container', name: NETWORK }],
        container: {
          type: 'DOCKER',
          docker: {
            image: PROBE_IMAGE,
            parameters: [
              { key: 'add-host', value: 'db.internal:10.9.8.7' },
              { key: 'log-driver', value: 'local' },
              { key: 'log-opt', value: 'max-size=1m' },
              { key: 'label', value: 'test.app=inner' },
            ],
          },
          portMappings: [
            { containerPort: 8080, hostPort: 0, name: 'http' },
            { containerPort: 9090, name: 'inside' },
          ],
        },
        healthChecks: checks.map((check) => ({ ...check, ...EVERY_SECOND })),
        // Through the port that is published on the agent.
        readinessChecks: [
          { portName: 'http', path: '/', intervalSeconds: 2, timeoutSeconds: 1, httpStatusCodesForReady: [200] },
        ],
        taskKillGracePeriodSeconds: 1,
      });
      const app = await settled(rig.client, APP, 1);
      const [task] = app.tasks;
      const [hostPort = 0] = task?.ports ?? [];
      const address = task?.ipAddresses[0]?.ipAddress ?? '';
      expect(app.networks).toEqual([{ mode: 'container', name: NETWORK }]);
      expect(task?.ports).toEqual([expect.any(Number)]);
      expect(hostPort).toBeGreaterThan(0);
      expect(address.split('.').slice(0, 2)).toEqual(subnet.split('.').slice(0, 2));
      expect(await statusOf(address, 8080)).toBe(200);
      expect(await statusOf('127.0.0.1', hostPort)).toBe(200);

      const [container] = await containers();
      const { HostConfig, NetworkSettings } = await engine.docker.getContainer(container?.Id ?? '').inspect();
      expect(HostConfig).toMatchObject({
        NetworkMode: NETWORK,
        ExtraHosts: ['db.internal:10.9.8.7'],
        LogConfig: { Type: 'local', Config: { 'max-size': '1m' } },
      });
      expect(Object.keys(NetworkSettings.Networks)).toEqual([NETWORK]);
      expect(NetworkSettings.Networks[NETWORK]?.IPAddress).toBe(address);
      expect(NetworkSettings.Ports['8080/tcp']).toEqual(
        expect.arrayContaining([expect.objectContaining({ HostPort: String(hostPort) })]),
      );
      expect(NetworkSettings.Ports['9090/tcp'] ?? null).toBeNull();

      // The log driver is not the engine's own, and what the task says comes into its sandbox all the same.
      const told = await until('it has told', 60_000, async () => {
        const lines = await outputOf(task?.id ?? '');
        return lines.includes('serving on 8080') && lines;
      });
      expect(told).toEqual(
        expect.arrayContaining([
          'HOST=127.0.0.1',
          `MARATHON_APP_ID=${APP}`,
          `PORT=${hostPort}`,
          `PORT0=${hostPort}`,
          `PORT_8080=${hostPort}`,
          `PORT_HTTP=${hostPort}`,
          'PORT1=9090',
          'PORT_9090=9090',
          'PORT_INSIDE=9090',
          `PORTS=${hostPort}`,
          expect.stringMatching(/^10\.9\.8\.7\s+db\.internal$/),
        ]),
      );

      await rig.client.deleteApp(APP);
      await until('it is gone', 60_000, async () => (await rig.client.deployments()).length === 0);
      await until('its container is gone', 60_000, async () => (await containers()).length === 0);
      expect(await statusOf('127.0.0.1', hostPort)).toBeUndefined();
    },
  );

  under.it('says so when there is no such network, and starts nothing', async () => {
    await rig.client.createApp({
      id: '/inner/lost',
      args: ['tell-and-serve', '8080'],
      cpus: 0.1,
      mem: 16,
      networks: [{ mode: 'container', name: 'slipway-none' }],
      container: { type: 'DOCKER', docker: { image: PROBE_IMAGE } },
    });
    const failed = await until('it failed', 60_000, async () => {
      return (await rig.client.getApp('/inner/lost'))?.lastTaskFailure;
    });
    const why = under.kind === 'real' ? 'exited with status 125' : 'slipway-none';
    expect(failed).toMatchObject({ state: 'TASK_FAILED', message: expect.stringContaining(why) });
    await rig.client.deleteApp('/inner/lost');
    await until('all are gone', 60_000, async () => (await rig.client.deployments()).length === 0);
    await until('no container is left', 60_000, async () => (await containers()).length === 0);
  });

  async function outputOf(taskId: string): Promise<readonly string[]> {
    const { frameworkId } = await rig.client.info();
    const [agent] = under.mesos.agents;
    const url = agent?.url ?? '';
    const directory = sandboxOf(await readAgentState(url), frameworkId ?? '', taskId);
    return ((await readSandboxFile(url, `${directory}/stdout`))?.toString() ?? '').split('\n');
  }
});

/** Every container of the engine, which has no others. */
function containers() {
  return engine.docker.listContainers({ all: true });
}

/** Undefined when nobody answers. */
function statusOf(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const asked = get({ host, port, path: '/', agent: false, timeout: 20_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
  });
}
