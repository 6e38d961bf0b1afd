import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where a platform keeps what it makes, all below one directory. */
export interface Directories {
  /** Absolute. */
  readonly root: string;
  readonly logs: string;
  readonly data: string;
  /** Records of running processes. */
  readonly run: string;
  /** Unix sockets; short enough for their names. */
  readonly sockets: string;
}

/** A unix socket's path may have 107 bytes on Linux (unix(7)); what programs add below our directory needs this many. */
const LONGEST_SOCKET_DIRECTORY = 107 - 40;

/** The directories of a platform, made if they are missing. */
export function directoriesOf(dir: string): Directories {
  const root = resolve(dir);
  const inside = join(root, 'run', 'sockets');
  const key = createHash('sha256').update(root).digest('hex').slice(0, 12);
  const directories: Directories = {
    root,
    logs: join(root, 'logs'),
    data: join(root, 'data'),
    run: join(root, 'run'),
    sockets:
      Buffer.byteLength(inside) <= LONGEST_SOCKET_DIRECTORY
        ? inside
        : join(tmpdir(), `slipway-${process.getuid?.() ?? 0}-${key}`),
  };
  for (const directory of [directories.logs, directories.data, directories.run]) {
    mkdirSync(directory, { recursive: true });
  }
  mkdirSync(directories.sockets, { recursive: true, mode: 0o700 });
  return directories;
}

/** The engine's store of images below `data`; the one thing worth keeping from one platform to the next. */
export const IMAGE_STORE = 'docker';

/** Takes away the data of an earlier platform: its ports are others now, so what its systems noted is wrong. */
export function clearData(directories: Directories): void {
  for (const entry of readdirSync(directories.data)) {
    if (entry !== IMAGE_STORE) {
      rmSync(join(directories.data, entry), { recursive: true, force: true });
    }
  }
}
