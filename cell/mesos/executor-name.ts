/** How an agent names the executor that runs one task alone; see Mesos' `Slave::getExecutorInfo`. */
import type { TaskInfo } from '../../activities/mesos/types.ts';

/** Of a longer command the first twelve characters are shown. */
const SHOWN_WHOLE = 15;
const SHOWN = 12;

export function executorName({ task_id, command }: Pick<TaskInfo, 'task_id' | 'command'>): string {
  const start = `Command Executor (Task: ${task_id.value})`;
  const { value, shell = true, arguments: args = [] } = command ?? {};
  if (value === undefined) return `${start} (Command: ${shell ? 'NO COMMAND' : 'NO EXECUTABLE'})`;
  return shell
    ? `${start} (Command: sh -c '${shortened(value)}')`
    : `${start} (Command: [${shortened(`${value}, ${args.join(', ')}`)}])`;
}

function shortened(text: string): string {
  return text.length > SHOWN_WHOLE ? `${text.slice(0, SHOWN)}...` : text;
}
