/** Reads a Mesos master through its operator API v1. Every call here only reads, so every call may be repeated. */
import type { z } from 'zod';
import { MesosAnswerError, MesosError } from './errors.ts';
import { callHttp } from './http-call.ts';
import { type Agent, type OperatorTask, operatorAnswers, type Tasks } from './schemas.ts';

export interface OperatorClientOptions {
  /** Any master of the cluster, such as `http://127.0.0.1:5050`. */
  readonly master: string;
  /** For each call. */
  readonly timeoutMs: number;
}

type Answer<C extends keyof typeof operatorAnswers> = z.infer<(typeof operatorAnswers)[C]>;

/** Rejects with `MesosError` when there is no answer or a refusal, `MesosAnswerError` when the answer is not Mesos'. */
export class OperatorClient {
  readonly #options: OperatorClientOptions;

  constructor(options: OperatorClientOptions) {
    this.#options = options;
  }

  /** True when the leading master says it is healthy. */
  async getHealth(): Promise<boolean> {
    return (await this.#call('GET_HEALTH')).get_health.healthy;
  }

  /** Such as `1.11.0`. */
  async getVersion(): Promise<string> {
    return (await this.#call('GET_VERSION')).get_version.version_info.version;
  }

  /** Registered agents with their attributes, in use and on offer. */
  async getAgents(): Promise<Agent[]> {
    return (await this.#call('GET_AGENTS')).get_agents.agents;
  }

  /** Tasks of every framework: live, on unreachable agents, and the completed ones the master still remembers. */
  async getTasks(): Promise<Tasks> {
    return (await this.#call('GET_TASKS')).get_tasks;
  }

  /** Agents, frameworks and tasks in one consistent answer. */
  async getState(): Promise<Answer<'GET_STATE'>['get_state']> {
    return (await this.#call('GET_STATE')).get_state;
  }

  /** A task wherever the master lists it; undefined when it knows none of that id (any more). */
  async findTask(frameworkId: string, taskId: string): Promise<OperatorTask | undefined> {
    const { tasks, unreachable_tasks, completed_tasks } = await this.getTasks();
    return [...tasks, ...unreachable_tasks, ...completed_tasks].find(
      (task) => task.framework_id.value === frameworkId && task.task_id.value === taskId,
    );
  }

  async #call<C extends keyof typeof operatorAnswers>(type: C): Promise<Answer<C>> {
    const call = `operator call ${type}`;
    const answer = await callHttp({
      url: new URL('/api/v1', this.#options.master).toString(),
      call,
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({ type }),
      timeoutMs: this.#options.timeoutMs,
    });
    if (answer.status !== 200) {
      throw new MesosError({ url: answer.url, call, status: answer.status, answer: answer.body });
    }
    try {
      // Safe: the table pairs each type with its schema; TypeScript can't follow that through the index.
      return operatorAnswers[type].parse(JSON.parse(answer.body)) as Answer<C>;
    } catch (cause) {
      throw new MesosAnswerError({ url: answer.url, call, problem: String(cause), cause });
    }
  }
}
