import { type Logger, type LogLevel, type LogMetadata, Runtime } from '@temporalio/worker';
import type { Logger as Pino } from 'pino';
import { processLog } from './log.ts';

/**
 * Installs the one Temporal runtime of a process, with structured logs: JSON lines on stdout, in which what workflows
 * and activities say carries their service, release and environment. SIGTERM and SIGINT end the process's workers.
 *
 * @returns the log of the process itself
 */
export function installRuntime(name: string): Pino {
  const log = processLog(name);
  Runtime.install({
    logger: new PinoLogger(log),
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'WARN' }, forward: {} } },
  });
  return log;
}

const LEVELS: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/** Temporal's logger interface on pino. */
class PinoLogger implements Logger {
  private readonly pino: Pino;

  constructor(log: Pino) {
    this.pino = log;
  }

  log(level: LogLevel, message: string, meta: LogMetadata = {}): void {
    const { error, ...rest } = meta;
    this.pino[LEVELS[level]](error === undefined ? rest : { ...rest, err: error }, message);
  }

  trace(message: string, meta?: LogMetadata): void {
    this.log('TRACE', message, meta);
  }

  debug(message: string, meta?: LogMetadata): void {
    this.log('DEBUG', message, meta);
  }

  info(message: string, meta?: LogMetadata): void {
    this.log('INFO', message, meta);
  }

  warn(message: string, meta?: LogMetadata): void {
    this.log('WARN', message, meta);
  }

  error(message: string, meta?: LogMetadata): void {
    this.log('ERROR', message, meta);
  }
}
