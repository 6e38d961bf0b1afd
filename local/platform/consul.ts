import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answerOf } from './answers.ts';
import type { SupervisedProcess } from './process.ts';
import { type Supervisor, Wave } from './supervisor.ts';

export interface ConsulServer {
  readonly process: SupervisedProcess;
  /** HTTP API; the UI is below `/ui/`. */
  readonly url: string;
  /** `host:port` of its DNS, UDP and TCP. */
  readonly dns: string;
}

export interface ConsulOptions {
  readonly executable: string;
  readonly ports: { readonly http: number; readonly dns: number; readonly server: number; readonly serf: number };
}

/** A one-server Consul with a data directory, so that a restart keeps the key-value store. */
export function consulServer(supervisor: Supervisor, options: ConsulOptions): ConsulServer {
  const data = join(supervisor.directories.data, 'consul');
  mkdirSync(data, { recursive: true });
  const { ports } = options;
  const config = join(data, 'consul.json');
  writeFileSync(
    config,
    JSON.stringify(
      {
        node_name: 'slipway',
        datacenter: 'local',
        server: true,
        bootstrap_expect: 1,
        data_dir: join(data, 'store'),
        bind_addr: '127.0.0.1',
        client_addr: '127.0.0.1',
        ui: true,
        disable_update_check: true,
        // A restart must find itself in the peer set again.
        leave_on_terminate: false,
        skip_leave_on_interrupt: true,
        // Elections in about a second instead of five; fine where all traffic is loopback.
        performance: { raft_multiplier: 1 },
        log_level: 'warn',
        ports: { http: ports.http, dns: ports.dns, server: ports.server, serf_lan: ports.serf, serf_wan: -1, grpc: -1 },
      },
      undefined,
      2,
    ),
  );
  const url = `http://127.0.0.1:${ports.http}`;
  const process = supervisor.add(Wave.systems, {
    name: 'consul',
    command: options.executable,
    args: ['agent', '-config-file', config],
    ready: async () => {
      if (JSON.parse(await answerOf(`${url}/v1/status/leader`)) === '') {
        throw new Error('there is no leader yet');
      }
      // Not answered until the leader serves consistent reads and the agent has registered its own node.
      if (JSON.parse(await answerOf(`${url}/v1/catalog/service/consul?consistent`)).length === 0) {
        throw new Error('the catalogue does not hold the server yet');
      }
    },
    readyWithinMs: 120_000,
    stopWithinMs: 10_000,
  });
  return { process, url, dns: `127.0.0.1:${ports.dns}` };
}
