import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { z } from 'zod';
import { sharedLibraries } from './shared-libraries.ts';

/** A compressed layer of an image. */
export interface Layer {
  /** The file that holds it: a gzipped tar. */
  readonly file: string;
  /** Digest of the file. */
  readonly digest: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Digest of the tar before compression. */
  readonly diffId: string;
}

const FILES: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/:/sbin/nologin\nnode:x:1000:1000:node:/tmp:/sbin/nologin\n',
  'etc/group': 'root:x:0:\nnode:x:1000:\n',
  'etc/nsswitch.conf': 'hosts: files dns\n',
};

/** Where the image has its Node. */
export const NODE_PATH = 'usr/local/bin/node';

const layerFacts = z.object({ digest: z.string(), size: z.number(), diffId: z.string() });

/**
 * The layer with Node, what it links to, two users, and `/tmp`. It is made once and kept in `cache`; the same Node and
 * libraries always give the same bytes (fixed times, owners and order).
 * @param node absolute path of the Node binary.
 */
export async function nodeLayer(node: string, version: string, cache: string): Promise<Layer> {
  const libraries = await sharedLibraries(node);
  const directory = join(cache, 'base-node', await contentKey(version, libraries));
  const file = join(directory, 'layer.tar.gz');
  const known = await readFacts(directory);
  if (known !== undefined) {
    return { file, ...known };
  }
  await mkdir(dirname(directory), { recursive: true });
  const partial = await mkdtemp(`${directory}.partial-`);
  try {
    const tree = join(partial, 'tree');
    await layOut(tree, node, libraries);
    const facts = await pack(tree, join(partial, 'layer.tar.gz'));
    await rm(tree, { recursive: true });
    await writeFile(join(partial, 'layer.json'), JSON.stringify(facts));
    await rm(directory, { recursive: true, force: true });
    await rename(partial, directory);
    return { file, ...facts };
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Names the layer by what goes into it. Node's binary counts by its version alone: it has over 100 MB. */
async function contentKey(version: string, libraries: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([version, process.arch, FILES]));
  for (const library of libraries) {
    hash.update(library).update(await readFile(library));
  }
  return `${version}-${hash.digest('hex').slice(0, 12)}`;
}

async function readFacts(directory: string): Promise<z.infer<typeof layerFacts> | undefined> {
  try {
    return layerFacts.parse(JSON.parse(await readFile(join(directory, 'layer.json'), 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

async function layOut(tree: string, node: string, libraries: readonly string[]): Promise<void> {
  const copies: readonly (readonly [string, string])[] = [
    [node, NODE_PATH],
    ...libraries.map((library) => [library, library] as const),
  ];
  for (const [source, path] of copies) {
    const target = join(tree, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(source, target);
    await chmod(target, 0o755);
  }
  for (const [path, text] of Object.entries(FILES)) {
    const target = join(tree, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text, { mode: 0o644 });
  }
  await mkdir(join(tree, 'tmp'));
  await chmod(join(tree, 'tmp'), 0o1777);
}

async function pack(tree: string, file: string): Promise<Omit<Layer, 'file'>> {
  const tar = spawn(
    'tar',
    [
      ...['--create', '--format=ustar', '--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'],
      ...['--directory', tree, '.'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], timeout: 120_000 },
  );
  const ended = new Promise<void>((resolve, reject) => {
    tar.once('error', reject);
    tar.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`tar ended with code ${code}`))));
  });
  const plain = createHash('sha256');
  const compressed = createHash('sha256');
  let size = 0;
  const [, written] = await Promise.allSettled([
    ended,
    pipeline(
      tar.stdout,
      (source: Readable) => tap(source, (chunk) => plain.update(chunk)),
      createGzip({ level: 1 }),
      (source: Readable) =>
        tap(source, (chunk) => {
          compressed.update(chunk);
          size += chunk.length;
        }),
      createWriteStream(file),
    ),
  ]);
  await ended;
  if (written.status === 'rejected') {
    throw written.reason;
  }
  return { digest: `sha256:${compressed.digest('hex')}`, size, diffId: `sha256:${plain.digest('hex')}` };
}

async function* tap(source: Readable, look: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    look(chunk);
    yield chunk;
  }
}
