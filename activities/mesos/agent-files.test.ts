import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { agentUrlOf, agentUrlOfPid, browseSandbox, readSandboxFile, sandboxOf } from './agent-files.ts';
import { agentStateSchema } from './schemas.ts';
import type { Offer } from './types.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** An agent with one file, which it gives as Mesos does: raw bytes inside a JSON string, a few at a time. */
async function agentWith(path: string, content: Buffer, pieceBytes: number): Promise<string> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://agent');
    if (url.searchParams.get('path') !== path) {
      response.writeHead(404).end();
      return;
    }
    const offset = Number(url.searchParams.get('offset'));
    const data = content.subarray(offset, offset + pieceBytes).toString('latin1');
    response.end(Buffer.from(JSON.stringify({ data, offset }), 'latin1'));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('readSandboxFile', () => {
  it.each([1, 2, 3, 1000])('puts characters together that were cut into pieces of %d bytes', async (pieceBytes) => {
    const content = Buffer.from('<ok>häß €\u{1f680} "\\</ok>\n');
    const url = await agentWith('/s/junit.xml', content, pieceBytes);
    expect(await readSandboxFile(url, '/s/junit.xml')).toEqual(content);
  });

  it('is undefined for a file that does not exist', async () => {
    const url = await agentWith('/s/a', Buffer.from('x'), 10);
    expect(await readSandboxFile(url, '/s/b')).toBeUndefined();
    expect(await browseSandbox(url, '/s/none')).toBeUndefined();
  });

  it('refuses to read without end', async () => {
    const url = await agentWith('/s/log', Buffer.alloc(100), 10);
    await expect(readSandboxFile(url, '/s/log', { maxBytes: 50 })).rejects.toThrow(/more than 50 bytes/);
  });
});

describe('sandboxOf', () => {
  const executor = (id: string, directory: string, tasks: string[] = []) => ({
    id,
    directory,
    container: 'c',
    tasks: tasks.map((task) => ({ id: task })),
  });
  const state = agentStateSchema.parse({
    id: 'S0',
    hostname: 'h',
    start_time: 1,
    frameworks: [{ id: 'f1', executors: [executor('t1', '/new')], completed_executors: [executor('t1', '/old')] }],
    completed_frameworks: [{ id: 'f2', completed_executors: [executor('custom', '/custom', ['t2'])] }],
  });

  it.each([
    ['f1', 't1', '/new'],
    ['f2', 't2', '/custom'],
    ['f2', 't1', undefined],
    ['f3', 't1', undefined],
  ])('%s %s', (framework, task, directory) => {
    expect(sandboxOf(state, framework, task)).toBe(directory);
  });
});

describe('the address of an agent', () => {
  const offer = (url?: Offer['url']): Offer => ({
    id: { value: 'o' },
    framework_id: { value: 'f' },
    agent_id: { value: 'a' },
    hostname: 'host',
    resources: [],
    attributes: [],
    ...(url === undefined ? {} : { url }),
  });

  it('comes from an offer, by ip where it is known', () => {
    const address = { hostname: 'h', ip: '10.0.0.1', port: 5051 };
    expect(agentUrlOf(offer({ scheme: 'http', address, path: '/slave(1)' }))).toBe('http://10.0.0.1:5051');
    expect(agentUrlOf(offer({ scheme: 'https', address: { hostname: 'h', port: 1 } }))).toBe('https://h:1');
    expect(agentUrlOf(offer())).toBeUndefined();
  });

  it('comes from a pid', () => {
    expect(agentUrlOfPid('slave(1)@127.0.0.1:5051')).toBe('http://127.0.0.1:5051');
    expect(agentUrlOfPid(undefined)).toBeUndefined();
    expect(agentUrlOfPid('slave(1)')).toBeUndefined();
  });
});
