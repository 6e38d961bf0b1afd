import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Contracts and records that come from other repositories are not part of this one. They are read from the folder
 * `shared` beside the checkout, or from where the variable SLIPWAY_SHARED says; undefined where neither is there.
 */
export const SHARED: string | undefined = [
  process.env['SLIPWAY_SHARED'],
  join(import.meta.dirname, '../../shared'),
].find((folder) => folder !== undefined && existsSync(join(folder, 'contracts')));

/** Why a test that reads it is skipped. */
export const NO_SHARED = 'skipped: the folder shared is not beside this checkout, and SLIPWAY_SHARED names no other';
