/**
 * A cell as a process of its own: `node cell/mesos/main.ts OPTIONS [--faults]`, where OPTIONS is JSON (see options.ts) or the
 * path of a JSON file. Prints one line of JSON when everything listens: `{"masterUrl", "agents", "pid"}`. Its log goes
 * to stderr. SIGTERM and SIGINT end every task and then the process; after a kill -9 the next start takes the tasks up.
 */

import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { textOf } from '../../activities/mesos/thrown.ts';
import { FaultBoard } from '../faults/board.ts';
import type { CellLog } from './log.ts';
import { cellOptionsSchema } from './options.ts';
import { startMesos } from './start.ts';

const logger = pino({ name: 'cell-mesos' }, pino.destination({ dest: 2, sync: true }));
const log: CellLog = {
  info: (what) => logger.info(what),
  warn: (what, error) => logger.warn({ error: textOf(error) }, what),
};

const [argument, flag] = process.argv.slice(2);
if (argument === undefined) {
  process.stderr.write(
    'usage: node cell/mesos/main.ts OPTIONS [--faults] (JSON, or the path of a JSON file; see options.ts)\n',
  );
  process.exit(2);
}

const text = argument.trimStart().startsWith('{') ? argument : readFileSync(argument, 'utf8');
const cell = await startMesos(
  cellOptionsSchema.parse(JSON.parse(text)),
  log,
  flag === '--faults' ? new FaultBoard() : undefined,
);

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    log.info(`${signal}: ending every task`);
    cell.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.warn('stop', error);
        process.exit(1);
      },
    );
  });
}

process.stdout.write(`${JSON.stringify({ masterUrl: cell.masterUrl, agents: cell.agents, pid: process.pid })}\n`);
