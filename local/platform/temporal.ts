import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { answerOf } from './answers.ts';
import type { SupervisedProcess } from './process.ts';
import { type Supervisor, Wave } from './supervisor.ts';

export interface TemporalServer {
  readonly process: SupervisedProcess;
  /** `host:port` of the frontend. */
  readonly address: string;
  readonly namespace: string;
  /** The namespace in the server's HTTP API. */
  readonly namespaceUrl: string;
  readonly uiUrl: string;
}

export interface TemporalOptions {
  readonly executable: string;
  /** Names of Keyword search attributes to register. */
  readonly searchAttributes: readonly string[];
  readonly ports: { readonly frontend: number; readonly http: number; readonly ui: number; readonly metrics: number };
}

const NAMESPACE = 'default';

const attributesAnswer = z.object({ customAttributes: z.record(z.string(), z.string()) });

/** Temporal's dev server with its UI, on a SQLite file, so that a restart keeps every workflow. */
export function temporalServer(supervisor: Supervisor, options: TemporalOptions): TemporalServer {
  const { ports } = options;
  const data = join(supervisor.directories.data, 'temporal');
  mkdirSync(data, { recursive: true });
  const namespaceUrl = `http://127.0.0.1:${ports.http}/api/v1/namespaces/${NAMESPACE}`;
  const process = supervisor.add(Wave.systems, {
    name: 'temporal',
    command: options.executable,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--namespace', NAMESPACE, '--log-level', 'warn'],
      ...['--port', String(ports.frontend), '--http-port', String(ports.http)],
      ...['--ui-port', String(ports.ui), '--metrics-port', String(ports.metrics)],
      // Without these two the file store manages a quarter of the workflows a second.
      ...['--db-filename', join(data, 'temporal.db')],
      ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=1'],
      // The default holds every workflow task for up to 50 ms; much more than this slows a file store down.
      ...['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=200'],
      ...options.searchAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ],
    ready: async () => {
      await answerOf(`http://127.0.0.1:${ports.ui}/`);
      const { customAttributes } = attributesAnswer.parse(
        JSON.parse(await answerOf(`${namespaceUrl}/search-attributes`)),
      );
      const missing = options.searchAttributes.filter((name) => customAttributes[name] === undefined);
      if (missing.length > 0) {
        throw new Error(`search attributes ${missing.join(', ')} are not registered yet`);
      }
    },
    readyWithinMs: 120_000,
    stopWithinMs: 10_000,
  });
  return {
    process,
    address: `127.0.0.1:${ports.frontend}`,
    namespace: NAMESPACE,
    namespaceUrl,
    uiUrl: `http://127.0.0.1:${ports.ui}`,
  };
}
