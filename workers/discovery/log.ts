/** Where the process says what it does; a pino logger is one. */
export interface Log {
  info(line: string): void;
  warn(line: string): void;
}
