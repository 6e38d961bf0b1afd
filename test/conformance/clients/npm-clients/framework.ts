/** A framework by mesos-framework: `node framework.ts http://HOST:PORT`. Writes what came true as lines of JSON. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The library, as far as it is used here. */
interface Scheduler {
  on(event: string, listener: (detail: never) => void): void;
  subscribe(): void;
  kill(taskId: string, agentId: string): void;
  reconcile(taskId: string, agentId: string): void;
  teardown(): void;
}
interface Library {
  Scheduler: new (options: object) => Scheduler;
  Mesos: { getMesos(): { CommandInfo: new (...parts: readonly unknown[]) => object } };
}
interface Update {
  readonly status: {
    readonly task_id: { readonly value: string };
    readonly agent_id: { readonly value: string };
    readonly state: string;
    readonly reason?: string;
    readonly uuid?: string;
  };
}

const { Scheduler, Mesos } = createRequire(import.meta.url)('mesos-framework') as Library;
const { CommandInfo } = Mesos.getMesos();
const { hostname, port } = new URL(process.argv[2] ?? '');
const logs = mkdtempSync(join(tmpdir(), 'mesos-framework-'));
process.once('exit', () => rmSync(logs, { recursive: true }));

const task = (priority: number, instances: number, command: string) => ({
  ...{ priority, instances, commandInfo: new CommandInfo(null, null, true, command, null, null) },
  resources: { cpus: 0.1, mem: 32, ports: 1, disk: 0 },
});
const scheduler = new Scheduler({
  ...{ masterUrl: hostname, port, frameworkName: 'npm', logging: { path: logs, fileName: 'log', level: 'error' } },
  tasks: { sleeper: task(1, 2, 'exec sleep 1000'), once: task(2, 1, 'test -n "$HOST"') },
});

const tell = (step: string, result: object = {}) => process.stdout.write(`${JSON.stringify({ step, ...result })}\n`);
/** Task names without the random part of their ids: `sleeper-1`. */
const nameOf = ({ status }: Update) => status.task_id.value.split('.')[1] ?? '';
const states = new Map<string, string[]>();
let heartbeats = 0;
let running: Update[] = [];
let killed = false;
let ending = false;

scheduler.on('ready', () => scheduler.subscribe());
scheduler.on('subscribed', ({ frameworkId, mesosStreamId }: { frameworkId: string; mesosStreamId: string }) => {
  tell('subscribed', { frameworkId, mesosStreamId });
});
scheduler.on('heartbeat', () => {
  heartbeats += 1;
});
scheduler.on('error', (error: unknown) => {
  // The stream may end before the answer to the call that ends it.
  if (!ending) tell('error', { error: String((error as Error).message ?? error) });
});
scheduler.on('sent_teardown', () => {
  tell('torn down', { heartbeats: heartbeats > 0 });
  process.exit();
});
scheduler.on('update', (update: Update) => {
  const { state, reason, uuid } = update.status;
  if (reason === 'REASON_RECONCILIATION') {
    tell('reconciled', { name: nameOf(update), state, uuid: uuid ?? null });
    ending = true;
    scheduler.teardown();
    return;
  }
  const seen = states.get(nameOf(update)) ?? [];
  states.set(nameOf(update), [...seen, state]);
  if (state === 'TASK_RUNNING') running = [...running, update];
  proceed();
});

/** Kills one sleeper when every task is where it should be, and asks for the other when that one is gone. */
function proceed(): void {
  const ends = (name: string) => states.get(name)?.at(-1);
  const sleeper = (name: string) => running.find((update) => nameOf(update) === name)?.status;
  const [one, two] = [sleeper('sleeper-1'), sleeper('sleeper-2')];
  if (one === undefined || two === undefined || ends('once-1') !== 'TASK_FINISHED') return;
  if (!killed) {
    killed = true;
    scheduler.kill(one.task_id.value, one.agent_id.value);
  } else if (ends('sleeper-1') === 'TASK_KILLED') {
    tell('ran', { states: Object.fromEntries([...states].toSorted()) });
    scheduler.reconcile(two.task_id.value, two.agent_id.value);
  }
}
