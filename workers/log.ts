import { type Logger, pino } from 'pino';

/** The log of a process: JSON lines on stdout. `SLIPWAY_LOG_LEVEL` sets how much (default `info`). */
export function processLog(name: string): Logger {
  return pino({ name, level: process.env['SLIPWAY_LOG_LEVEL'] ?? 'info', messageKey: 'message' });
}
