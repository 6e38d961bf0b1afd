import { z } from 'zod';
import { CellDirectory, type RunningCell } from '../../cell/directory.ts';
import type { Context } from '../../cli/context.ts';
import { ExitCode } from '../../cli/exit-codes.ts';
import { type StateOption, sayOf, stateDirectory } from './state.ts';

const ANSWER_WITHIN_MS = 10_000;

const slavesSchema = z.object({
  slaves: z.array(
    z.object({
      id: z.string(),
      hostname: z.string(),
      active: z.boolean(),
      attributes: z.record(z.string(), z.unknown()),
    }),
  ),
});
const tasksSchema = z.object({ tasks: z.array(z.object({ slave_id: z.string(), state: z.string() })) });

/** `slipway cell status`. @returns the exit code: 0 when it runs */
export async function runStatus(context: Context, options: StateOption): Promise<number> {
  const directory = new CellDirectory(stateDirectory(options));
  const say = sayOf(context);
  const running = directory.running();
  if (running !== undefined) {
    await printCell(context, directory, running);
    return ExitCode.Ok;
  }
  const state = directory.options() === undefined ? 'none' : 'down';
  context.print('', { v: 1, state, directory: directory.path });
  context.tell(state === 'none' ? say.none(directory.path) : say.dead(directory.path));
  return ExitCode.Unexpected;
}

/** Where it is and what runs on it, as a table or as JSON. */
export async function printCell(context: Context, directory: CellDirectory, running: RunningCell): Promise<void> {
  const { mesosUrl, marathonUrl, pid } = running;
  const [{ slaves }, { tasks }] = [
    slavesSchema.parse(await ask(`${mesosUrl}/slaves`)),
    tasksSchema.parse(await ask(`${mesosUrl}/tasks?limit=100000`)),
  ];
  const ports = directory.options()?.mesos.agents ?? [];
  const agents = running.agents.map(({ id, name, url }) => {
    const slave = slaves.find((one) => one.id === id);
    return {
      name,
      url,
      active: slave?.active ?? false,
      attributes: slave?.attributes ?? {},
      ports: (ports.find((agent) => agent.name === name)?.portRange ?? []).join('-'),
      tasks: tasks.filter(({ slave_id, state }) => slave_id === id && state === 'TASK_RUNNING').length,
    };
  });
  const { columns } = sayOf(context);
  const titles = [columns.agent, columns.attributes, columns.address, columns.ports, columns.tasks];
  const rows = agents.map(({ name, attributes, url, ports, tasks }) => [
    name,
    Object.entries(attributes)
      .map(([key, value]) => `${key}:${String(value)}`)
      .join(';'),
    url,
    ports,
    String(tasks),
  ]);
  context.print([`Marathon  ${marathonUrl}`, `Mesos     ${mesosUrl}`, '', ...context.table(titles, rows)], {
    v: 1,
    state: 'running',
    directory: directory.path,
    pid,
    marathonUrl,
    mesosUrl,
    agents,
  });
}

async function ask(url: string): Promise<unknown> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}: ${await answer.text()}`);
  return answer.json();
}
