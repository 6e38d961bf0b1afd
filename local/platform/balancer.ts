import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { answerOf } from './answers.ts';
import type { SupervisedProcess } from './process.ts';
import { type Supervisor, Wave } from './supervisor.ts';

/** HAProxy, and consul-template that renders its structure from Consul: as `deploy/balancer` sets them up. */
export interface Balancer {
  readonly haproxy: SupervisedProcess;
  readonly consulTemplate: SupervisedProcess;
  /** Sockets, the configuration and the state of servers. */
  readonly directory: string;
  /** `host:port` of the runtime API. */
  readonly runtime: string;
}

export interface BalancerOptions {
  readonly haproxy: string;
  readonly consulTemplate: string;
  readonly consulUrl: string;
  readonly runtimePort: number;
}

const ROOT = join(import.meta.dirname, '../..');
const DEPLOY = join(ROOT, 'deploy/balancer');

/**
 * The balancer; not started. HAProxy is in master-worker mode: the master stays, workers come and go with reloads.
 * Until consul-template has rendered the first configuration it runs one that has a runtime API and no frontend.
 */
export function balancer(supervisor: Supervisor, options: BalancerOptions): Balancer {
  const directory = join(supervisor.directories.sockets, 'haproxy');
  mkdirSync(directory, { recursive: true });
  const runtime = `127.0.0.1:${options.runtimePort}`;
  const config = join(directory, 'haproxy.cfg');
  writeFileSync(config, firstConfig(directory, runtime));
  const haproxy = supervisor.add(Wave.systems, {
    name: 'haproxy',
    command: options.haproxy,
    args: ['-W', '-S', join(directory, 'master.sock'), '-f', config],
    ready: async () => {
      const answer = await askRuntime(options.runtimePort, 'show info');
      if (!/^Stopping: 0$/m.test(answer)) {
        throw new Error(`the runtime API answers ${JSON.stringify(answer.slice(0, 100))}`);
      }
    },
    readyWithinMs: 120_000,
    stopWithinMs: 5000,
  });
  const rendered = join(directory, 'rendered.cfg');
  const templates = join(directory, 'consul-template.json');
  writeFileSync(
    templates,
    JSON.stringify({
      template: [
        {
          source: join(DEPLOY, 'haproxy.cfg.ctmpl'),
          destination: rendered,
          command: [process.execPath, join(ROOT, 'workers/balancer-apply.ts'), rendered, config],
        },
      ],
    }),
  );
  const consulTemplate = supervisor.add(Wave.cell, {
    name: 'consul-template',
    command: options.consulTemplate,
    args: [
      ...['-config', join(DEPLOY, 'consul-template.hcl'), '-config', templates, '-consul-addr', options.consulUrl],
      // By default SIGTERM goes to the child it may have, and it stays.
      ...['-kill-signal', 'SIGTERM'],
    ],
    env: {
      ...{ SLIPWAY_BALANCER_DIR: directory, SLIPWAY_BALANCER_RUNTIME: runtime, SLIPWAY_HAPROXY: options.haproxy },
      // Its command starts with each render, and a way back waits for that.
      NODE_COMPILE_CACHE: join(directory, 'compiled'),
    },
    // It has no API of its own; that it renders shows when a frontend answers (see frontendAnswers).
    ready: async () => {},
    readyWithinMs: 120_000,
    stopWithinMs: 2000,
    // It ends when a render can't be applied, and the balancer goes on with what it has; the next try may do better.
    restartAfterMs: 1000,
  });
  return { haproxy, consulTemplate, directory, runtime };
}

/** Throws until a frontend answers, be it only that it knows no such host: rendered, applied and listening. */
export async function frontendAnswers(port: number): Promise<void> {
  await answerOf(`http://127.0.0.1:${port}/`, {}, [404]);
}

function firstConfig(directory: string, runtime: string): string {
  return `global
    log stderr format raw local0 notice
    stats socket ${runtime} level admin
    stats socket ${join(directory, 'runtime.sock')} mode 600 level admin expose-fd listeners

defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
`;
}

/** One command to the runtime API; HAProxy ends the connection after its answer. */
async function askRuntime(port: number, command: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.setTimeout(15_000, () => socket.destroy(new Error('the runtime API does not answer')));
  socket.write(`${command}\n`);
  return text(socket);
}
