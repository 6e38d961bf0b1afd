import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { SupervisedProcess } from './process.ts';
import { type Supervisor, Wave } from './supervisor.ts';

export interface Balancer {
  readonly process: SupervisedProcess;
  /** The configuration that HAProxy runs; consul-template renders it anew. */
  readonly configFile: string;
  /** Sockets and the state of servers. */
  readonly directory: string;
  /** `host:port` of the runtime API. */
  readonly runtime: string;
  /** Socket of the master's command line (`-S`), which takes `reload`. */
  readonly masterSocket: string;
}

export interface BalancerOptions {
  readonly executable: string;
  readonly runtimePort: number;
}

/**
 * HAProxy in master-worker mode: the master stays, workers come and go with each reload. Until consul-template has
 * rendered the first configuration it runs one that has a runtime API and no frontend.
 */
export function balancer(supervisor: Supervisor, options: BalancerOptions): Balancer {
  const data = join(supervisor.directories.data, 'haproxy');
  const directory = join(supervisor.directories.sockets, 'haproxy');
  mkdirSync(data, { recursive: true });
  mkdirSync(directory, { recursive: true });
  const configFile = join(data, 'haproxy.cfg');
  const masterSocket = join(directory, 'master.sock');
  const runtime = `127.0.0.1:${options.runtimePort}`;
  writeFileSync(
    configFile,
    `global
    log stderr format raw local0 notice
    stats socket ${runtime} level admin
    stats socket ${join(directory, 'runtime.sock')} mode 600 level admin expose-fd listeners
    hard-stop-after 5m

defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
`,
  );
  const process = supervisor.add(Wave.systems, {
    name: 'haproxy',
    command: options.executable,
    args: ['-W', '-S', masterSocket, '-f', configFile],
    ready: async () => {
      const answer = await askRuntime(options.runtimePort, 'show info');
      if (!/^Stopping: 0$/m.test(answer)) {
        throw new Error(`the runtime API answers ${JSON.stringify(answer.slice(0, 100))}`);
      }
    },
    readyWithinMs: 20_000,
    stopWithinMs: 5000,
  });
  return { process, configFile, directory, runtime, masterSocket };
}

/** One command to the runtime API; HAProxy ends the connection after its answer. */
async function askRuntime(port: number, command: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.setTimeout(2000, () => socket.destroy(new Error('the runtime API does not answer')));
  socket.end(`${command}\n`);
  return text(socket);
}
