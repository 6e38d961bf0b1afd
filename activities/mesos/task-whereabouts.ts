/** What masters and agents tell operators of the task of a run. */
import { agentUrlOfPid, readAgentState, sandboxOf } from './agent-files.ts';
import type { OperatorClient } from './operator-client.ts';
import type { RunTaskProgress } from './run-task-options.ts';
import { isTerminal, type TaskStatus } from './types.ts';

/** The end of the task as the master still lists it, if it lists one. */
export async function rememberedEnd(
  operator: OperatorClient,
  { frameworkId, taskId }: RunTaskProgress,
): Promise<TaskStatus | undefined> {
  const task = await operator.findTask(frameworkId, taskId);
  if (task === undefined || !isTerminal(task.state)) return undefined;
  const last = task.statuses.at(-1);
  return last?.state === task.state ? last : { task_id: task.task_id, state: task.state, agent_id: task.agent_id };
}

/** Where the agent and the sandbox of the task are; undefined when the agent is not known. */
export async function whereabouts(
  operator: OperatorClient,
  { frameworkId, taskId, agentId, agentUrl }: RunTaskProgress,
): Promise<Pick<RunTaskProgress, 'agentUrl' | 'sandbox'> | undefined> {
  const url = agentUrl ?? (await urlOf(operator, agentId));
  if (url === undefined) return undefined;
  return { agentUrl: url, sandbox: sandboxOf(await readAgentState(url), frameworkId, taskId) };
}

async function urlOf(operator: OperatorClient, agentId: string | undefined): Promise<string | undefined> {
  const agents = await operator.getAgents();
  return agentUrlOfPid(agents.find(({ agent_info }) => agent_info.id.value === agentId)?.pid);
}
