import { createSocket, type Socket } from 'node:dgram';
import type { RegisteredService } from './consul.ts';

const TYPE = { A: 1, SRV: 33 } as const;
const NAME_ERROR = 3;
const DOMAIN = '.service.consul';
const POINTER = '.addr.dc1.consul';

/**
 * Consul's DNS (RFC 1035, RFC 2782): A and SRV records of the services on the simulated agent. An SRV record points to a
 * name that holds the address, as Consul makes it.
 */
export async function startDns(services: () => Iterable<RegisteredService>): Promise<{ port: number; close(): void }> {
  const socket: Socket = createSocket('udp4');
  socket.on('message', (query, from) => socket.send(answerTo(query, [...services()]), from.port, from.address));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { port: socket.address().port, close: () => socket.close() };
}

function answerTo(query: Buffer, services: readonly RegisteredService[]): Buffer {
  const { name, type, end } = question(query);
  const records = recordsOf(name, type, services);
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8580 | (records.length === 0 ? NAME_ERROR : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  const answers = records.map((data) => {
    // A name that is a pointer to the question's, class IN, no time to live.
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([header, query.subarray(12, end), ...answers]);
}

function recordsOf(name: string, type: number, services: readonly RegisteredService[]): Buffer[] {
  if (name.endsWith(POINTER)) {
    return type === TYPE.A ? [Buffer.from(name.slice(0, 8), 'hex')] : [];
  }
  const found = services.filter((service) => `${service.name}${DOMAIN}` === name);
  if (type === TYPE.A) return found.map(({ address }) => addressOf(address));
  if (type !== TYPE.SRV) return [];
  return found.map(({ address, port }) => {
    const target = encoded(`${addressOf(address).toString('hex')}${POINTER}`);
    const data = Buffer.alloc(6);
    data.writeUInt16BE(1, 0);
    data.writeUInt16BE(1, 2);
    data.writeUInt16BE(port, 4);
    return Buffer.concat([data, target]);
  });
}

function question(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.subarray(at + 1, at + 1 + length).toString('latin1'));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

const addressOf = (address: string): Buffer => Buffer.from(address.split('.').map(Number));

const encoded = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
