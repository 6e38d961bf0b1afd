import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answerOf } from './answers.ts';
import type { SupervisedProcess } from './process.ts';
import { type Supervisor, Wave } from './supervisor.ts';

export interface InfluxServer {
  readonly process: SupervisedProcess;
  readonly url: string;
}

export interface InfluxOptions {
  readonly executable: string;
  readonly ports: { readonly http: number; readonly rpc: number };
}

/** InfluxDB 1.x; whoever writes makes the database, with the retention it wants. */
export function influxServer(supervisor: Supervisor, options: InfluxOptions): InfluxServer {
  const data = join(supervisor.directories.data, 'influxdb');
  mkdirSync(data, { recursive: true });
  const config = join(data, 'influxdb.conf');
  writeFileSync(
    config,
    `reporting-disabled = true
bind-address = "127.0.0.1:${options.ports.rpc}"
[meta]
  dir = ${JSON.stringify(join(data, 'meta'))}
[data]
  dir = ${JSON.stringify(join(data, 'data'))}
  wal-dir = ${JSON.stringify(join(data, 'wal'))}
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:${options.ports.http}"
  log-enabled = false
[monitor]
  store-enabled = false
[continuous_queries]
  enabled = false
`,
  );
  const url = `http://127.0.0.1:${options.ports.http}`;
  const process = supervisor.add(Wave.systems, {
    name: 'influxdb',
    command: options.executable,
    args: ['run', '-config', config],
    ready: async () => {
      await answerOf(`${url}/query?${new URLSearchParams({ q: 'SHOW DATABASES' })}`);
    },
    readyWithinMs: 30_000,
    stopWithinMs: 10_000,
  });
  return { process, url };
}
