/**
 * `node test/replay/record.ts`: plays the demo and keeps the histories of its workflows, so that later code can be held
 * against them. Run it when a workflow has changed on purpose; old histories stay as long as such runs may still live.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { Client, Connection } from '@temporalio/client';
import { runDemo } from '../../local/demo/run-demo.ts';
import { timeline } from '../../local/demo/timeline.ts';
import type { Platform } from '../../local/platform/platform.ts';
import { ensureToolbox } from '../../local/toolbox/toolbox.ts';
import { type RollbackInput, releaseWorkflowId, TASK_QUEUE, WorkflowType } from '../../workflows/contract.ts';
import { HISTORIES } from './histories.ts';

/** Of the schedules' many runs, one tells as much as all. */
const ONE_OF = new Set<string>([WorkflowType.Autoscale, WorkflowType.KeepWritable]);
const MAX_HISTORY_BYTES = 64 * 1024 * 1024;
const SHOW_TIMEOUT_MS = 30_000;

async function record(platform: Platform): Promise<void> {
  const temporal = (await ensureToolbox(['temporal-cli'], () => {})).path('temporal-cli');
  const { address, namespace } = platform.systems.temporal;
  const connection = await Connection.connect({ address });
  try {
    const { workflow } = new Client({ connection, namespace });
    const back: RollbackInput = {
      key: 'back',
      service: 'sample',
      environment: 'prod',
      requestedBy: 'ann',
      reason: 'to keep the history of a rollback after the end',
    };
    await workflow.execute(WorkflowType.Rollback, {
      workflowId: releaseWorkflowId(back.service, back.key),
      taskQueue: TASK_QUEUE,
      args: [back],
    });
    const kept = new Set<string>();
    for await (const { workflowId, runId, type } of workflow.list()) {
      if (ONE_OF.has(type) && kept.has(type)) continue;
      kept.add(type);
      // The SDK's own historyToJSON throws in 1.24.0 ("type must be a Type").
      const which = ['--workflow-id', workflowId, '--run-id', runId, '--address', address, '--namespace', namespace];
      const { stdout } = await promisify(execFile)(temporal, ['workflow', 'show', '--output', 'json', ...which], {
        maxBuffer: MAX_HISTORY_BYTES,
        timeout: SHOW_TIMEOUT_MS,
      });
      const name = (ONE_OF.has(type) ? type : workflowId)
        .replaceAll('/', '-')
        .replace(/[0-9a-f]{40}/, (commit) => commit.slice(0, 8));
      await writeFile(join(HISTORIES, `${name}.json.gz`), gzipSync(withoutPlace(stdout), { level: 9 }));
      process.stdout.write(`kept ${name}\n`);
    }
  } finally {
    await connection.close();
  }
}

/** Which process on which machine took a task tells nothing, and is nobody's business. */
function withoutPlace(json: string): string {
  // A worker's own task queue is named for its process and machine, too.
  return json
    .replace(/"identity": *"[^"]*"/g, '"identity":"worker"')
    .replace(/"name": *"\d+@[^"]*"/g, '"name":"worker"');
}

const dir = await mkdtemp(join(tmpdir(), 'slipway-record-'));
await runDemo({ dir, timeline: timeline(process.stdout, () => [], Date.now()), afterwards: record });
await rm(dir, { recursive: true, force: true });
