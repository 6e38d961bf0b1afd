/** What `runTask` does when another process takes its run over while it is busy; a master and an agent of our own words. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { encodeRecord } from './recordio.ts';
import { runTask } from './run-task.ts';
import type { TaskState } from './types.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/**
 * Starts the task, and tells this state of it. When its sandbox is looked for, another process takes the framework over;
 * the agent answers when the first one has heard of it. Gives the calls that the master got.
 */
async function runTakenOver(state: TaskState) {
  const calls: string[] = [];
  let stream: ServerResponse | undefined;
  const tell = (event: object) => stream?.write(encodeRecord(JSON.stringify(event)));
  server = createServer(async (request, response) => {
    const { port } = server.address() as AddressInfo;
    if (request.url === '/state') {
      stream?.on('close', () => response.end(JSON.stringify({ id: 'agent-1', hostname: 'ci-1', start_time: 1 })));
      tell({ type: 'ERROR', error: { message: 'Framework failed over' } });
      return;
    }
    const call = (await json(request)) as {
      type: string;
      accept?: { operations: { launch: { task_infos: { task_id: object }[] } }[] };
    };
    calls.push(call.type);
    if (call.type !== 'SUBSCRIBE') response.writeHead(202).end();
    else if (stream !== undefined) response.writeHead(400).end('taken back');
    else {
      stream = response.writeHead(200, { 'Content-Type': 'application/json', 'Mesos-Stream-Id': 'stream-1' });
      tell({ type: 'SUBSCRIBED', subscribed: { framework_id: { value: 'fw-1' }, heartbeat_interval_seconds: 60 } });
      const resources = ['cpus', 'mem'].map((name) => ({ name, type: 'SCALAR', scalar: { value: 64 } }));
      const url = { scheme: 'http', address: { ip: '127.0.0.1', port }, path: '/slave(1)' };
      const [framework_id, agent_id] = [{ value: 'fw-1' }, { value: 'agent-1' }];
      const offer = { id: { value: 'offer-1' }, framework_id, agent_id, hostname: 'ci-1', url, resources };
      tell({ type: 'OFFERS', offers: { offers: [offer] } });
    }
    if (call.type === 'ACCEPT') {
      const task_id = call.accept?.operations[0]?.launch.task_infos[0]?.task_id;
      const status = {
        task_id,
        state,
        agent_id: { value: 'agent-1' },
        uuid: 'dXBkYXRl',
        message: 'exited with status 4',
      };
      tell({ type: 'UPDATE', update: { status } });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const outcome = await runTask({
    master: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    frameworkName: 'test',
    task: { name: 'job', command: { value: 'true' }, resources: { cpus: 0.1, mem: 32 } },
    attributes: {},
    failoverTimeoutSeconds: 600,
    offerTimeoutMs: 60_000,
    onProgress: () => {},
    signal: new AbortController().signal,
  }).catch((error: unknown) => error);
  return { outcome, calls };
}

describe('runTask that is taken over', () => {
  it('while it looks at a task that runs ends, and does not take the framework back', async () => {
    const { outcome, calls } = await runTakenOver('TASK_RUNNING');
    expect(outcome).toMatchObject({ nonRetryable: true, message: expect.stringContaining('Framework failed over') });
    expect(calls).toEqual(['SUBSCRIBE', 'ACCEPT', 'SUPPRESS']);
  });

  it('while it looks at a task that has ended gives the result, and leaves the framework to the other', async () => {
    const { outcome, calls } = await runTakenOver('TASK_FAILED');
    expect(outcome).toMatchObject({ state: 'TASK_FAILED', exitCode: 4 });
    expect(calls).toEqual(['SUBSCRIBE', 'ACCEPT', 'SUPPRESS']);
  });
});
