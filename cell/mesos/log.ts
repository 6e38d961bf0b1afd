/** Where a cell says what none of its clients is told. */
export interface CellLog {
  info(what: string): void;
  /** Something went wrong that the cell can live with; it goes on. */
  warn(what: string, error: unknown): void;
}

export const SILENT: CellLog = { info: () => undefined, warn: () => undefined };
