import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../cli/context.ts';
import { CELL_MESSAGES, type CellMessages } from './messages.ts';

/** Options of every `slipway cell` command. */
export interface StateOption {
  readonly state?: string;
}

/** The directory of the cell: as said, else where this user's programs keep state (XDG Base Directory Specification). */
export function stateDirectory({ state }: StateOption): string {
  if (state !== undefined) return state;
  const home = process.env['XDG_STATE_HOME'] || join(homedir(), '.local/state');
  return join(home, 'slipway/cell');
}

export function sayOf({ language }: Context): CellMessages {
  return CELL_MESSAGES[language];
}
