/** Folders of the toolbox that are made whole or not at all. */
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** Makes a folder beside its place and moves it there in one step, so that nobody finds half of it. */
export async function makeOnce(directory: string, make: (staging: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  const staging = await mkdtemp(`${directory}.partial-`);
  try {
    await make(staging);
    await rename(staging, directory).catch(async (error: unknown) => {
      // Another run that shares the toolbox was first: its folder is the same.
      if (!(await exists(directory))) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * Of files of a folder, and of what else decides what is made of them.
 * @param names relative to the folder; without them, every file in it and below it
 */
export async function contentHash(folder: string, salt: string, names?: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(salt);
  for (const name of names ?? (await filesBelow(folder))) {
    const bytes = await readFile(join(folder, name));
    hash.update(`\n${name} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex').slice(0, 16);
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => relative(folder, join(parentPath, name))).sort();
}

export function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
