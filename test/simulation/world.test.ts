/** What keeps a run from depending on how quick the machine is: calls that are made again change nothing twice. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Chance } from './chance.ts';
import { serveWorld, type WorldServers } from './world/servers.ts';
import { World } from './world/world.ts';

let world: World;
let servers: WorldServers;

beforeEach(async () => {
  const behaviour = () => ({ errors: 0, sick: 0 });
  world = new World(new Chance(1), { behaviour, requestsPerSecond: 1, figuresFor: 0, figuresLate: 0 }, 'web');
  servers = await serveWorld(() => world);
});
afterEach(() => servers.close());

async function put(path: string, body: string, signal?: AbortSignal): Promise<string> {
  const response = await fetch(`${servers.url}/consul${path}`, { method: 'PUT', body, ...(signal && { signal }) });
  return response.text();
}

const changes = () => world.effects.map(({ subject, change }) => `${subject} ${change}`);

it('is not changed by a write of what is there', async () => {
  for (const value of ['1', '1', '2', '1']) expect(await put('/v1/kv/a', value)).toBe('true');
  expect(changes()).toEqual(['a 1', 'a 2', 'a 1']);
});

it('is not changed by a service that is registered again as it is', async () => {
  for (const port of [80, 80, 81]) {
    await put(
      '/v1/agent/service/register',
      JSON.stringify({ ID: 'web-1', Name: 'web', Address: '10.1.0.1', Port: port }),
    );
  }
  expect(changes()).toEqual(['web-1 register 10.1.0.1:80', 'web-1 register 10.1.0.1:81']);
});

it('is not changed by a call whose caller has given up before it was answered', async () => {
  const arrived = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  world.beforeAnswer = async () => {
    arrived.resolve();
    await left.promise;
  };
  const caller = new AbortController();
  const lost = expect(put('/v1/kv/a', '1', caller.signal)).rejects.toThrow();
  await arrived.promise;
  caller.abort();
  await lost;
  world.beforeAnswer = async () => {};
  // By the time that another call has come through the connection of the first one is known to be closed.
  expect(await put('/v1/kv/b', '1')).toBe('true');
  left.resolve();
  expect(await put('/v1/kv/c', '1')).toBe('true');
  expect(changes()).toEqual(['b 1', 'c 1']);
});
