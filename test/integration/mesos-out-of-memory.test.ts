/** What the embedded Mesos says of a container that ran out of memory, with a real Docker engine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type MesosCell, startMesos } from '../../cell/mesos/start.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { makeHungry, PROBE_IMAGE, type TestEngine, testEngine } from './mesos-engine.ts';
import { TestFramework } from './mesos-framework.ts';

jest.setTimeout(120_000);

let engine: TestEngine;
let directory: string;
let server: Server;
let cell: MesosCell;
/** So many times more the engine does not know yet that memory had run out. */
let unaware = 0;

/** The engine, which is told of it later than of the end as often as the test wants. */
function engineToldLate(socketPath: string): Server {
  return createServer((asked, answer) => {
    const { method, url, headers } = asked;
    const forwarded = request({ socketPath, method, path: url, headers }, async (given: IncomingMessage) => {
      const status = given.statusCode ?? 500;
      if (!/^\/containers\/[^/]+\/json/.test(url ?? '')) {
        answer.writeHead(status, given.headers);
        given.pipe(answer);
        return;
      }
      const known = await text(given);
      const told = unaware > 0 ? known.replace('"OOMKilled":true', '"OOMKilled":false') : known;
      if (told !== known) unaware -= 1;
      answer.writeHead(status, { 'content-type': 'application/json' }).end(told);
    });
    forwarded.on('error', (error) => answer.destroy(error));
    answer.on('close', () => forwarded.destroy());
    asked.pipe(forwarded);
  });
}

beforeAll(async () => {
  engine = await testEngine();
  directory = mkdtempSync(join(tmpdir(), 'slipway-memory-'));
  const firstPort = await freePortBlock(10);
  const socketPath = join(directory, 'engine.sock');
  server = engineToldLate(engine.socketPath);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  cell = await startMesos({
    docker: { socketPath },
    stateDir: join(directory, 'state'),
    allocationIntervalMs: 50,
    stopGraceMs: 500,
    agents: [{ name: 'fat-1', attributes: 'env:fat', cpus: 4, mem: 2048, portRange: [firstPort, firstPort + 9] }],
  });
}, 120_000);

afterAll(async () => {
  await cell?.stop();
  server?.closeAllConnections();
  server?.close();
  await engine?.stop();
  rmSync(directory, { recursive: true, force: true });
});

it.each([
  ['at once', 0],
  ['when its engine learns of it after the end', 3],
])('is told %s', async (_, times) => {
  unaware = times;
  const test = await new TestFramework(cell.masterUrl).connected();
  const id = `eater-${times}`;
  await test.launch('fat-1', {
    task_id: { value: id },
    command: { shell: false, arguments: ['eat'] },
    container: { type: 'DOCKER', docker: { image: PROBE_IMAGE, network: 'HOST' } },
  });
  const { container_status } = await test.state(id, 'TASK_RUNNING');
  await makeHungry(engine.docker, container_status?.container_id?.value ?? '');
  expect(await test.state(id, 'TASK_FAILED')).toMatchObject({
    reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
    message: 'Container exited with status 137: out of memory',
  });
  expect(unaware).toBe(0);
  // A framework that stays keeps what it is offered from the next one.
  await test.client.teardown();
  await test.ended();
});
