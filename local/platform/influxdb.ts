import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answerOf } from './answers.ts';
import type { SupervisedProcess } from './process.ts';
import { type Supervisor, Wave } from './supervisor.ts';

export interface InfluxServer {
  readonly process: SupervisedProcess;
  readonly url: string;
  readonly database: string;
}

export interface InfluxOptions {
  readonly executable: string;
  readonly database: string;
  readonly ports: { readonly http: number; readonly rpc: number };
}

/** As the collector asks for it: InfluxDB refuses to make a database again with another retention. */
const RETENTION = '7d';

/** InfluxDB 1.x with one database. */
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
      const query = new URLSearchParams({ q: `CREATE DATABASE "${options.database}" WITH DURATION ${RETENTION}` });
      // Making what is there changes nothing, and only a store that writes can answer.
      const answer = await answerOf(`${url}/query`, { method: 'POST', body: query });
      if (answer.includes('"error"')) {
        throw new Error(`InfluxDB answers ${answer}`);
      }
    },
    readyWithinMs: 120_000,
    stopWithinMs: 10_000,
  });
  return { process, url, database: options.database };
}
