import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { MarathonApp } from '../../../activities/marathon/types.ts';
import { settled } from '../../integration/marathon-rig.ts';
import { until } from '../../integration/mesos-until.ts';
import { traefikMarathon } from './clients.ts';
import { describeWithClient } from './describe-with-client.ts';
import { type PlainCell, startPlainCell } from './plain-cell.ts';

/** Traefik's provider for Marathon: labels of apps become routers, tasks become servers, events say when to look again. */

jest.setTimeout(60_000);

/** What the provider gives Traefik, of it what the tests look at. */
interface Configuration {
  readonly http?: {
    readonly routers?: Readonly<Record<string, { readonly rule: string; readonly service: string }>>;
    readonly services?: Readonly<Record<string, { readonly loadBalancer: { readonly servers: { url: string }[] } }>>;
  };
  readonly tcp?: {
    readonly routers?: Readonly<Record<string, { readonly rule: string; readonly service: string }>>;
    readonly services?: Readonly<
      Record<string, { readonly loadBalancer: { readonly servers: { address: string }[] } }>
    >;
  };
}

const SLEEP = { cmd: 'exec sleep 1000', cpus: 0.1, mem: 16 };

await describeWithClient("Traefik's provider", traefikMarathon, (command) => {
  let cell: PlainCell;
  let directory: string;
  let traefik: ChildProcess;
  const given: Configuration[] = [];
  const log: string[] = [];

  beforeAll(async () => {
    cell = await startPlainCell();
    directory = mkdtempSync(join(tmpdir(), 'traefik-'));
    await cell.client.createApp({ id: '/hidden', ...SLEEP });
    await settled(cell.client, '/hidden', 1);
    traefik = spawn(command.file, [cell.marathonUrl], { stdio: ['ignore', 'pipe', 'pipe'] });
    if (traefik.stdout === null || traefik.stderr === null) throw new Error('no streams');
    createInterface({ input: traefik.stdout }).on('line', (line) => given.push(JSON.parse(line)));
    createInterface({ input: traefik.stderr }).on('line', (line) => log.push(line));
    await until('a first configuration', 20_000, () => given.length > 0);
  });
  afterAll(async () => {
    const ended = once(traefik, 'exit');
    traefik.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true });
    await cell.stop();
  });

  const servers = (service: string) =>
    given
      .at(-1)
      ?.http?.services?.[service]?.loadBalancer.servers.map(({ url }) => url)
      .toSorted();
  const places = ({ tasks }: MarathonApp, port = 0) =>
    tasks.map(({ host, ports }) => `http://${host}:${ports[port]}`).toSorted();
  /** Waits until the provider has the servers of exactly the tasks that the app has. */
  const follows = async (id: string, tasks: number, service: string, port = 0) => {
    const app = await settled(cell.client, id, tasks);
    const wanted = places(app, port);
    expect(wanted).toHaveLength(tasks);
    await until(`${service} has ${wanted}`, 20_000, () => JSON.stringify(servers(service)) === JSON.stringify(wanted));
    return wanted;
  };

  it('leaves out an app that does not ask for it', () => {
    expect(given[0]?.http?.services ?? {}).toEqual({});
  });

  it('makes a router and a service of an app with labels, as soon as its tasks run', async () => {
    const labels = { 'traefik.enable': 'true', 'traefik.http.routers.shop.rule': 'Host(`shop.test`)' };
    await cell.client.createApp({ id: '/shop/web', instances: 2, labels, ...SLEEP });
    await follows('/shop/web', 2, 'shop_web');
    expect(given.at(-1)?.http?.routers?.['shop']).toMatchObject({ rule: 'Host(`shop.test`)', service: 'shop_web' });
    expect(Object.keys(given.at(-1)?.http?.services ?? {})).toEqual(['shop_web']);
  });

  it('follows its tasks when they become more, are replaced and become fewer', async () => {
    await cell.client.scaleApp('/shop/web', 3);
    const three = await follows('/shop/web', 3, 'shop_web');
    const { status } = await fetch(`${cell.marathonUrl}/v2/apps/shop/web/restart`, { method: 'POST' });
    expect(status).toBe(200);
    const replaced = await follows('/shop/web', 3, 'shop_web');
    expect(replaced).not.toEqual(three);
    await cell.client.scaleApp('/shop/web', 1);
    await follows('/shop/web', 1, 'shop_web');
  });

  it('takes the port that a label names by its index', async () => {
    const labels = {
      'traefik.enable': 'true',
      'traefik.http.routers.admin.rule': 'Host(`admin.test`)',
      'traefik.http.services.admin.loadbalancer.server.port': 'index:1',
    };
    const portDefinitions = [
      { port: 0, name: 'http' },
      { port: 0, name: 'admin' },
    ];
    await cell.client.createApp({ id: '/admin', labels, portDefinitions, ...SLEEP });
    await follows('/admin', 1, 'admin', 1);
  });

  it('makes TCP routers too', async () => {
    const labels = { 'traefik.enable': 'true', 'traefik.tcp.routers.db.rule': 'HostSNI(`*`)' };
    await cell.client.createApp({ id: '/db', labels, ...SLEEP });
    const { tasks } = await settled(cell.client, '/db', 1);
    const addresses = () => given.at(-1)?.tcp?.services?.['db']?.loadBalancer.servers.map(({ address }) => address);
    await until('the address is known', 20_000, () => addresses()?.[0] === `${tasks[0]?.host}:${tasks[0]?.ports[0]}`);
    expect(given.at(-1)?.tcp?.routers?.['db']).toMatchObject({ rule: 'HostSNI(`*`)', service: 'db' });
  });

  it('shows a task of a deployment only when its readiness check has passed', async () => {
    const labels = { 'traefik.enable': 'true', 'traefik.http.routers.slow.rule': 'Host(`slow.test`)' };
    const ready = join(directory, 'ready');
    await cell.client.createApp({
      ...{ id: '/slow', cpus: 0.1, mem: 32, labels, cmd: serverThatIsReadyWith(ready) },
      portDefinitions: [{ port: 0, name: 'http-api' }],
      readinessChecks: [{ intervalSeconds: 2, timeoutSeconds: 1, path: '/', portName: 'http-api', protocol: 'HTTP' }],
    });
    await until('Traefik saw its task and left it out', 20_000, () =>
      log.some((line) => /Filtering unready task slow\..* from application \/slow/.test(line)),
    );
    expect(servers('slow')).toBeUndefined();

    writeFileSync(ready, '');
    await follows('/slow', 1, 'slow');
  });

  it('forgets an app that is deleted', async () => {
    await cell.client.deleteApp('/admin');
    await until(
      'it is gone',
      20_000,
      () => servers('admin') === undefined && given.at(-1)?.tcp?.services !== undefined,
    );
    expect(Object.keys(given.at(-1)?.http?.routers ?? {}).toSorted()).toEqual(['shop', 'slow']);
  });
});

/** A web server that answers 503 until a file is there. */
function serverThatIsReadyWith(file: string): string {
  const script = `
    const { existsSync } = require("fs");
    require("http").createServer((request, response) => {
      response.statusCode = existsSync("${file}") ? 200 : 503;
      response.end();
    }).listen(process.env.PORT0, "127.0.0.1");`;
  return `exec '${process.execPath}' -e '${script.replaceAll(/\s+/g, ' ')}'`;
}
