/** Discovery while Marathon's events are lost, late, doubled or silent: it finds out in time all the same. */
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { SwitchesInput } from '../../cell/faults/switches.ts';
import { revisionApp } from '../../domain/revision-app.ts';
import { until } from '../../local/platform/until.ts';
import { Registrar } from '../../workers/discovery/registrar.ts';
import { settled, taskIds, webCommand } from '../integration/marathon-rig.ts';
import { openTrafficRig, type TrafficRig } from '../integration/traffic-rig.ts';
import { type CellRig, startCellRig } from './cell-rig.ts';

jest.setTimeout(180_000);

/** A pass so often; without events nothing else tells of a change. */
const RECONCILE_MS = 1_500;
const ID = '/prod/web/r1';

let cell: CellRig;
let traffic: TrafficRig;
let running: Promise<void>;
const stop = new AbortController();

beforeAll(async () => {
  traffic = await openTrafficRig(['consul']);
  [cell] = await Promise.all([startCellRig({ hostname: '127.0.0.1' }), traffic.consul.process.start()]);
  const registrar = new Registrar({
    consul: { url: traffic.consul.url },
    marathons: [{ marathon: { url: cell.cell.marathonUrl }, environments: ['prod'] }],
    frontends: {},
    reconcileMs: RECONCILE_MS,
    log: { info: () => undefined, warn: () => undefined },
  });
  running = registrar.run(stop.signal);
  const { container: _image, ...app } = revisionApp({
    environment: 'prod',
    service: 'web',
    revision: 'r1',
    bundle: 'b-1',
    image: 'unused',
    env: {},
    cpus: 0.1,
    memoryMiB: 32,
    healthPath: '/',
    startSeconds: 20,
    instances: 0,
    // A busy machine may keep a server waiting for seconds.
    check: { intervalSeconds: 1, timeoutSeconds: 20 },
    command: webCommand(),
    stopSeconds: 1,
  });
  await cell.client.createApp({ ...app });
}, 120_000);
afterAll(async () => {
  stop.abort();
  await running;
  await cell?.stop();
  await traffic?.stop();
});

/** The instances that Consul knows are those that Marathon runs, each once. */
async function registeredAre(instances: number): Promise<void> {
  const ids = taskIds(await settled(cell.client, ID, instances)).map((id) => `web:prod:${id}`);
  await until(
    `${instances} to be registered`,
    async () => {
      const known = (await traffic.client.agentServices()).map(({ id }) => id);
      expect(known.filter((id) => id.startsWith('web:')).toSorted()).toEqual(ids);
    },
    { withinMs: 45_000 },
  );
}

it.each<[string, SwitchesInput]>([
  ['nothing goes wrong', {}],
  ['every event is lost', { events: [{ kind: 'lose' }] }],
  ['half of them are lost', { seed: 3, events: [{ kind: 'lose', probability: 0.5 }] }],
  ['the stream is silent', { eventsSilent: true }],
  ['all come twice', { events: [{ kind: 'duplicate' }] }],
  ['all come late', { events: [{ kind: 'delay', delayMs: 3_000 }] }],
])('Consul has just what Marathon runs when %s', async (_, switches) => {
  await cell.faults.set(switches);
  for (const instances of [2, 0]) {
    await cell.client.scaleApp(ID, instances, { force: true });
    await registeredAre(instances);
  }
  await cell.faults.clear();
});
