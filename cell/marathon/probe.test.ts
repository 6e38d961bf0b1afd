import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { readChanges } from './app.ts';
import { probe } from './probe.ts';

it.each(['/health?deep=1', 'health?deep=1'])('asks for the path %s from the root of the server', async (path) => {
  const asked: (string | undefined)[] = [];
  const server = createServer(({ url }, response) => {
    asked.push(url);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const [check] = readChanges({ healthChecks: [{ path }] }, '/').healthChecks ?? [];
  if (check === undefined) throw new Error('the check is gone');
  const seen = await probe(check, '127.0.0.1', (server.address() as AddressInfo).port, 20_000);
  await new Promise((resolve) => server.close(resolve));
  expect([seen, asked]).toEqual([{ ok: true }, ['/health?deep=1']]);
});
