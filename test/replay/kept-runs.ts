import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { WorkflowClientInterceptor } from '@temporalio/client';

const MAX_HISTORY_BYTES = 64 * 1024 * 1024;
const SHOW_TIMEOUT_MS = 30_000;

/** Remembers which runs a client has started, and keeps their histories in a folder. */
export class KeptRuns {
  readonly interceptor: WorkflowClientInterceptor = {
    start: (input, next) => {
      this.ids.add(input.options.workflowId);
      return next(input);
    },
    signalWithStart: (input, next) => {
      this.ids.add(input.options.workflowId);
      return next(input);
    },
  };
  private readonly ids = new Set<string>();
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Writes the history of every run so far, as the Temporal CLI shows it. @param address of the server */
  async write(address: string): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    for (const id of this.ids) {
      const name = `${id.replaceAll(/[^a-z0-9]+/gi, '-')}.${randomUUID()}.json`;
      writeFileSync(join(this.folder, name), withoutPlace(await shown(id, address)));
    }
  }
}

/** The SDK's own historyToJSON throws in 1.24.0 ("type must be a Type"). */
async function shown(workflowId: string, address: string): Promise<string> {
  const temporal = process.env['TEMPORAL_CLI_PATH'];
  if (!temporal) throw new Error('TEMPORAL_CLI_PATH is not set: histories are kept by make histories');
  const which = ['--workflow-id', workflowId, '--address', address];
  const { stdout } = await promisify(execFile)(temporal, ['workflow', 'show', '--output', 'json', ...which], {
    maxBuffer: MAX_HISTORY_BYTES,
    timeout: SHOW_TIMEOUT_MS,
  });
  return stdout;
}

/** Which process on which machine took a task, and from which folder, tells nothing, and is nobody's business. */
function withoutPlace(json: string): string {
  // A worker's own task queue is named for its process and machine, too.
  return json
    .replace(/"identity": *"[^"]*"/g, '"identity":"worker"')
    .replace(/"name": *"\d+@[^"]*"/g, '"name":"worker"')
    .replace(/"stackTrace": *"(?:[^"\\]|\\.)*"/g, '"stackTrace":""');
}
