/** The heartbeats of activities whose system is slow: without them a worker that waits would be taken for dead. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { revisionApp } from '../domain/revision-app.ts';
import { createBalancerActivities } from './balancer/activities.ts';
import { createConsulActivities } from './consul/activities.ts';
import { createDnsActivities } from './dns/activities.ts';
import { createMarathonActivities } from './marathon/activities.ts';

const WEB = { environment: 'prod', service: 'web' } as const;
const appId = '/prod/web/r1';
const app = revisionApp({
  ...{ ...WEB, revision: 'r1', bundle: 'b-1', image: 'registry/web@sha256:1', env: {}, cpus: 0.1, memoryMiB: 32 },
  ...{ healthPath: '/healthz', startSeconds: 10, instances: 1 },
});
const traffic = { ...WEB, shares: { r1: 100 }, servers: { r1: 1 }, healthPath: '/healthz', deadlineSeconds: 30 };

const marathon = (url: string) => createMarathonActivities({ prod: { url, group: '/prod' } });
const balancer = (url: string) =>
  createBalancerActivities({ consul: { url }, environments: { prod: ['127.0.0.1:1'] } });
const dns = (url: string) => createDnsActivities({ consul: { url }, dns: '127.0.0.1:1' });

const ACTIVITIES: Readonly<Record<string, (url: string) => Promise<unknown>>> = {
  ensureRevision: (url) => marathon(url).ensureRevision({ environment: 'prod', app }),
  scaleRevision: (url) =>
    marathon(url).scaleRevision({ environment: 'prod', appId, instances: 1, waitHealthy: true, deadlineSeconds: 30 }),
  deleteRevision: (url) => marathon(url).deleteRevision({ environment: 'prod', appId }),
  pointConfig: (url) => createConsulActivities({ url }).pointConfig({ ...WEB, version: 1 }),
  writeScaleBounds: (url) => createConsulActivities({ url }).writeScaleBounds({ ...WEB, bounds: null }),
  bindName: (url) => dns(url).bindName({ ...WEB, address: '127.0.0.1', port: 80 }),
  unbindName: (url) => dns(url).unbindName(WEB),
  setTraffic: (url) => balancer(url).setTraffic(traffic),
  removeTraffic: (url) => balancer(url).removeTraffic(WEB),
};

/** The type of the failure of an activity whose system refuses, but says so only when a heartbeat has come. */
async function refusalAfterHeartbeat(activity: (url: string) => Promise<unknown>): Promise<unknown> {
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const server = createServer((_request, response) => {
    environment.once('heartbeat', () => response.writeHead(403).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    return await environment
      .run(() => activity(`http://127.0.0.1:${port}`))
      .catch((error: { type?: string }) => error.type);
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

it('come while a system is slow to answer', async () => {
  const ends = Object.entries(ACTIVITIES).map(
    async ([name, activity]) => [name, await refusalAfterHeartbeat(activity)] as const,
  );
  const refused = Object.fromEntries(Object.keys(ACTIVITIES).map((name) => [name, 'SystemRefused']));
  expect(Object.fromEntries(await Promise.all(ends))).toEqual(refused);
}, 30_000);
