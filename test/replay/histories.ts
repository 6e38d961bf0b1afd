import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Where the recorded histories are. */
export const HISTORIES = join(import.meta.dirname, 'histories');

export interface RecordedHistory {
  readonly name: string;
  readonly history: { readonly events: readonly { readonly eventType?: string }[] };
}

/** Every recorded history, by name. */
export async function recordedHistories(): Promise<RecordedHistory[]> {
  const files = (await readdir(HISTORIES)).filter((file) => file.endsWith('.json.gz')).sort();
  return Promise.all(
    files.map(async (file) => ({
      name: file.replace('.json.gz', ''),
      history: JSON.parse(gunzipSync(await readFile(join(HISTORIES, file))).toString()),
    })),
  );
}
