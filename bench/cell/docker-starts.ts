/** One container after the other, from the order to Marathon until Marathon tells that it runs. */
import { marathonEvents } from '../../activities/marathon/events.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { PROBE_IMAGE, testEngine } from '../../test/integration/mesos-engine.ts';
import { until } from '../../test/integration/mesos-until.ts';
import { startOwnCell } from './own-cell.ts';

const PORTS = 100;
const RUNS_WITHIN_MS = 30_000;

/** Milliseconds of each of so many starts. */
export async function dockerStarts(count: number): Promise<readonly number[]> {
  const engine = await testEngine();
  try {
    const first = await freePortBlock(PORTS);
    const cell = await startOwnCell({
      docker: { socketPath: engine.socketPath },
      agents: [{ name: 'a', attributes: 'env:a', cpus: 64, mem: 65_536, portRange: [first, first + PORTS - 1] }],
    });
    const controller = new AbortController();
    const startedAt = new Map<string, number>();
    const listening = listen(cell.url, controller.signal, (appId) => startedAt.set(appId, performance.now()));
    try {
      const took: number[] = [];
      for (let index = 0; index < count; index += 1) {
        const id = `/starts/app-${index}`;
        const ordered = performance.now();
        await cell.client.createApp({
          id,
          args: ['serve'],
          cpus: 0.1,
          mem: 32,
          instances: 1,
          container: { type: 'DOCKER', docker: { image: PROBE_IMAGE } },
        });
        const ran = await until(`${id} runs`, RUNS_WITHIN_MS, async () => startedAt.get(id));
        took.push(ran - ordered);
      }
      const apps = await cell.client.listApps({});
      const failed = apps.find(({ tasksRunning }) => tasksRunning !== 1);
      if (failed) throw new Error(`${failed.id} does not run any more`);
      return took;
    } finally {
      controller.abort();
      await listening;
      await cell.stop();
    }
  } finally {
    await engine.stop();
  }
}

async function listen(url: string, signal: AbortSignal, runs: (appId: string) => void): Promise<void> {
  for await (const event of marathonEvents({ url, types: ['status_update_event'], signal })) {
    if (event.eventType === 'status_update_event' && event.taskStatus === 'TASK_RUNNING') runs(String(event.appId));
  }
}
