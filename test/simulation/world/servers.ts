import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { startDns } from './dns.ts';
import type { Answer } from './exchange.ts';
import type { SystemName, World } from './world.ts';

/** Where the simulated systems listen; which world answers may change from run to run. */
export interface WorldServers {
  /** `http://host:port`, in front of `/marathon`, `/consul` and `/influx`. */
  readonly url: string;
  /** `host:port` of the registry. */
  readonly registry: string;
  /** `host:port` of each balancer's runtime API. */
  readonly balancers: readonly string[];
  /** `host:port` of DNS. */
  readonly dns: string;
  close(): Promise<void>;
}

const SYSTEMS: readonly SystemName[] = ['marathon', 'consul', 'influx', 'mesos'];
const BALANCERS = 2;

/** Starts everything that a world is reached by, on free ports of loopback. @param world the one that answers now */
export async function serveWorld(world: () => World): Promise<WorldServers> {
  const sockets = new Set<Socket>();
  const http = createServer((request, response) => {
    exchange(world(), request, response).catch((error: unknown) => {
      world().troubles.push(error);
      request.socket.destroy();
    });
  });
  const balancers = Array.from({ length: BALANCERS }, (_, number) =>
    createTcpServer({ allowHalfOpen: true }, (socket) => void runtime(world(), number, socket)),
  );
  const servers: Server[] = [http, ...balancers];
  for (const server of servers) {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }
  const dns = await startDns(() => world().consul.services.values());
  const address = (server: Server) => `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${address(http)}`,
    registry: address(http),
    balancers: balancers.map(address),
    dns: `127.0.0.1:${dns.port}`,
    async close() {
      dns.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function exchange(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url ?? '/', 'http://world');
  const system = systemOf(url.pathname);
  const call = {
    method: request.method ?? 'GET',
    path: url.pathname.startsWith(`/${system}/`) ? url.pathname.slice(system.length + 1) : url.pathname,
    query: url.searchParams,
    body: Buffer.concat(chunks).toString('utf8'),
    headers: request.headers,
  };
  const answer = await world.answer(system, call, () => response.destroyed);
  if (answer === 'silent') return;
  if (answer === 'cut') request.socket.destroy();
  else send(response, answer);
}

function systemOf(path: string): SystemName {
  // Mesos' operator API is asked at the root of its address.
  if (path === '/api/v1') return 'mesos';
  return SYSTEMS.find((name) => path.startsWith(`/${name}/`)) ?? 'registry';
}

function send(response: ServerResponse, { status, headers = {}, body }: Answer): void {
  response.writeHead(status, headers);
  response.end(body);
}

async function runtime(world: World, number: number, socket: Socket): Promise<void> {
  const chunks: Buffer[] = [];
  // The caller may leave at any time; that is no error of ours.
  socket.on('error', () => socket.destroy());
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const line = Buffer.concat(chunks).toString('utf8');
  const { fault } = world.meet('balancer', `balancer ${number} ${line.slice(0, 10)}`);
  const answer = fault?.endsWith('-before') || fault === 'late' ? '' : (world.balancers[number]?.answer(line) ?? '');
  socket.end(fault === undefined ? answer : '');
}
