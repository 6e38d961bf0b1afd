/**
 * A whole cell as a process of its own: `node cell/main.ts DIR`, where DIR has the options as `cell.json` (see
 * launcher.ts, which starts it). Says in `running.json` there when everything answers. Its log goes to stderr. SIGTERM
 * and SIGINT end every task and then the process; after a kill -9 the next start takes everything up.
 */
import { pino } from 'pino';
import { textOf } from '../activities/mesos/thrown.ts';
import type { CellLog } from './mesos/log.ts';
import { serveCell } from './serve.ts';

const directory = process.argv[2];
if (directory === undefined) {
  process.stderr.write('usage: node cell/main.ts DIR (with cell.json in it)\n');
  process.exit(2);
}

const logger = pino({ name: 'cell' }, pino.destination({ dest: 2, sync: true }));
const log: CellLog = {
  info: (what) => logger.info(what),
  warn: (what, error) => logger.warn({ error: textOf(error) }, what),
};

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());

try {
  await serveCell(directory, log, stop.signal);
  process.exit(0);
} catch (error) {
  log.warn('the cell', error);
  process.exit(1);
}
