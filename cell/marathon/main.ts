/**
 * A Marathon for one machine, as a process of its own:
 *
 *     node cell/marathon/main.ts --master http://127.0.0.1:5050 --state DIR [--host 127.0.0.1] [--port 8080]
 *         [--profile 1.7|1.9|1.11] [--faults]
 *
 * With `--faults` it answers `/cell/faults`.
 * Prints one line of JSON once its API answers: `{"url", "pid"}`. Its log goes to the standard error.
 * Ends on SIGTERM and SIGINT; tasks run on.
 */
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { FaultBoard } from '../faults/board.ts';
import type { CellLog } from '../mesos/log.ts';
import { startMarathon } from './marathon.ts';
import { PROFILES } from './profile.ts';

const { values } = parseArgs({
  options: {
    master: { type: 'string' },
    state: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8080' },
    profile: { type: 'string', default: '1.7' },
    faults: { type: 'boolean', default: false },
  },
});

const profile = Object.values(PROFILES).find((one) => one.name === values.profile)?.name;
const port = Number(values.port);
if (!values.master || !values.state || !profile || !Number.isInteger(port)) {
  console.error(
    'usage: main.ts --master URL --state DIR [--host ADDRESS] [--port NUMBER] [--profile 1.7|1.9|1.11] [--faults]',
  );
  process.exit(2);
}

const logger = pino({ name: 'cell-marathon' }, pino.destination({ dest: 2, sync: true }));
const log: CellLog = {
  info: (what) => logger.info(what),
  warn: (what, error) => logger.warn({ error: error instanceof Error ? error.message : String(error) }, what),
};

const cell = await startMarathon({
  host: values.host,
  port,
  mesosMaster: values.master,
  stateDir: values.state,
  profile,
  log,
  faults: values.faults ? new FaultBoard() : undefined,
});
let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    cell.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.warn('stop', error);
        process.exit(1);
      },
    );
  });
}

process.stdout.write(`${JSON.stringify({ url: cell.url, pid: process.pid })}\n`);
