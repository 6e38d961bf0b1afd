/**
 * `node workers/builder.ts`: one builder, started as a Mesos task for one build. It takes the stages of that build from
 * a task queue of its own, and leaves when it is told to (SIGTERM, which is how Mesos ends a task) or when nobody has
 * given it work for a while.
 */
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { type BuilderSettings, readBuilderSettings } from '../activities/build/builder-task.ts';
import { createBuilderActivities } from '../activities/build/stages.ts';
import { buildTaskQueue } from '../workflows/contract.ts';

/** What a stage gets to end its processes; Mesos kills the task 5 s after the SIGTERM. */
const SHUTDOWN_MS = 3_000;

/** Says one line in the task's own log. */
function say(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
}

/** Runs until the builder has left; resolves with why it did. */
async function runBuilder(settings: BuilderSettings): Promise<string> {
  const { builderId, temporal, idleSeconds } = settings;
  Runtime.install({ telemetryOptions: { logging: { filter: 'WARN' } }, shutdownSignals: [] });
  const connection = await NativeConnection.connect({ address: temporal.address });
  try {
    const idle = new IdleClock(idleSeconds);
    const worker = await Worker.create({
      connection,
      namespace: temporal.namespace,
      identity: `builder/${builderId}`,
      taskQueue: buildTaskQueue(builderId),
      activities: createBuilderActivities(settings),
      // The stages share one checkout. Also a retry must not begin before the attempt before it has ended.
      maxConcurrentActivityTaskExecutions: 1,
      maxHeartbeatThrottleInterval: '500ms',
      shutdownGraceTime: 0,
      shutdownForceTime: SHUTDOWN_MS,
      interceptors: {
        activity: [() => ({ inbound: { execute: (input, next) => idle.busyDuring(() => next(input)) } })],
      },
    });
    let why = 'the worker ended by itself';
    const leave = (because: string) => {
      if (worker.getState() !== 'RUNNING') return;
      why = because;
      worker.shutdown();
    };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => leave(`was told to by ${signal}`));
    idle.onIdle(() => leave(`had no work for ${idleSeconds} s`));
    say(`builder ${builderId} takes stages from ${temporal.address}`);
    await worker.run();
    idle.stop();
    return why;
  } finally {
    await connection.close();
  }
}

/** Tells when nothing has been done for some time. */
class IdleClock {
  readonly #ms: number;
  #running = 0;
  #timer: NodeJS.Timeout | undefined;
  #whenIdle: () => void = () => undefined;

  constructor(seconds: number) {
    this.#ms = seconds * 1000;
  }

  onIdle(whenIdle: () => void): void {
    this.#whenIdle = whenIdle;
    if (this.#running === 0) this.#wind();
  }

  async busyDuring<T>(work: () => Promise<T>): Promise<T> {
    this.#running += 1;
    this.stop();
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#wind();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wind(): void {
    this.stop();
    this.#timer = setTimeout(() => this.#whenIdle(), this.#ms);
  }
}

try {
  const settings = readBuilderSettings(process.env);
  say(`builder ${settings.builderId} left: it ${await runBuilder(settings)}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
