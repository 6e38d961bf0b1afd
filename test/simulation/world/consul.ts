import { type Answer, type Call, json, type OnEffect } from './exchange.ts';

interface Pair {
  readonly value: string;
  readonly modifyIndex: number;
}

/** A service on the simulated agent. */
export interface RegisteredService {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/**
 * Consul's agent, as far as Slipway uses it: keys with compare-and-set, and services for DNS. Whoever writes what is there
 * changes nothing, as in Consul's own store (on 1.8.7 `ModifyIndex` stays): so it is no effect either when a write is tried
 * again whose answer was lost.
 */
export class SimulatedConsul {
  readonly services = new Map<string, RegisteredService>();
  private readonly pairs = new Map<string, Pair>();
  private readonly onEffect: OnEffect;
  private index = 0;

  constructor(onEffect: OnEffect) {
    this.onEffect = onEffect;
  }

  /** The value of a key. */
  value(key: string): string | undefined {
    return this.pairs.get(key)?.value;
  }

  /** Every key, sorted. */
  keys(prefix: string): string[] {
    return [...this.pairs.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** Changes whenever anything is written. */
  get lastIndex(): number {
    return this.index;
  }

  /** What a person, or somebody else's program, writes: no effect of Slipway. */
  writeByHand(key: string, value: string): void {
    this.index += 1;
    this.pairs.set(key, { value, modifyIndex: this.index });
  }

  /** What a person takes away. */
  deleteByHand(key: string): void {
    this.index += 1;
    this.pairs.delete(key);
  }

  handle(call: Call): Answer {
    const { method, path } = call;
    if (path.startsWith('/v1/kv/')) return this.kv(call, decodeURIComponent(path.slice('/v1/kv/'.length)));
    if (path === '/v1/agent/self') return json(200, { Config: { NodeName: 'agent-1' } });
    if (path === '/v1/agent/services') {
      const shown = [...this.services].map(([id, { name, address, port }]) => [
        id,
        { ID: id, Service: name, Tags: [], Meta: {}, Address: address, Port: port },
      ]);
      return json(200, Object.fromEntries(shown));
    }
    if (path === '/v1/agent/service/register' && method === 'PUT') return this.register(call.body);
    if (path.startsWith('/v1/agent/service/deregister/') && method === 'PUT') {
      const id = decodeURIComponent(path.slice('/v1/agent/service/deregister/'.length));
      if (this.services.delete(id)) this.onEffect({ system: 'consul', subject: id, change: 'deregister' });
      return { status: 200, body: '' };
    }
    return { status: 404, body: `no such page: ${method} ${path}` };
  }

  private register(body: string): Answer {
    const service = JSON.parse(body) as {
      readonly ID: string;
      readonly Name: string;
      readonly Address: string;
      readonly Port: number;
    };
    const { ID: id, Name: name, Address: address, Port: port } = service;
    const known = this.services.get(id);
    if (known?.name === name && known.address === address && known.port === port) return { status: 200, body: '' };
    this.services.set(id, { name, address, port });
    this.onEffect({ system: 'consul', subject: id, change: `register ${address}:${port}` });
    return { status: 200, body: '' };
  }

  private kv(call: Call, key: string): Answer {
    const { method, query, body } = call;
    if (method === 'GET') {
      const recurse = query.has('recurse');
      const found = recurse ? this.keys(key) : this.pairs.has(key) ? [key] : [];
      const headers = { 'x-consul-index': String(Math.max(1, this.index)) };
      if (found.length === 0) return { status: 404, headers, body: '' };
      return json(
        200,
        found.map((each) => this.shown(each)),
        headers,
      );
    }
    const cas = query.get('cas');
    const now = this.pairs.get(key)?.modifyIndex ?? 0;
    if (cas !== null && Number(cas) !== now) return { status: 200, body: 'false' };
    if (method === 'DELETE') {
      if (this.pairs.delete(key)) {
        this.index += 1;
        this.onEffect({ system: 'consul', subject: key, change: 'delete' });
      }
      return { status: 200, body: 'true' };
    }
    if (this.value(key) === body) return { status: 200, body: 'true' };
    this.writeByHand(key, body);
    this.onEffect({ system: 'consul', subject: key, change: body });
    return { status: 200, body: 'true' };
  }

  private shown(key: string): unknown {
    const pair = this.pairs.get(key);
    return {
      LockIndex: 0,
      Key: key,
      Flags: 0,
      Value: Buffer.from(pair?.value ?? '').toString('base64'),
      CreateIndex: pair?.modifyIndex ?? 0,
      ModifyIndex: pair?.modifyIndex ?? 0,
    };
  }
}
