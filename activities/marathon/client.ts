import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import axios, { type AxiosInstance } from 'axios';
import type { z } from 'zod';
import { FailureType } from '../../domain/failures.ts';
import { answerFailure, networkFailure, unexpectedAnswer } from './errors.ts';
import {
  AppAnswerSchema,
  AppListSchema,
  AppSchema,
  type Deployment,
  DeploymentListSchema,
  type DeploymentResult,
  DeploymentResultSchema,
  InfoSchema,
  LeaderSchema,
  type MarathonApp,
  type MarathonInfo,
  type MarathonTask,
  type QueueItem,
  QueueSchema,
  TaskListSchema,
} from './types.ts';

/** Where a Marathon is and how to speak to it. */
export interface MarathonOptions {
  /** Base address, such as `http://127.0.0.1:8080`; a path in front of `/v2` is kept. */
  readonly url: string;
  /** Longest time for one call, connection included. Default 10 000. */
  readonly timeoutMs?: number;
  readonly auth?: MarathonAuth;
}

/** HTTP basic authentication, or the whole value of the `Authorization` header. */
export type MarathonAuth =
  | { readonly username: string; readonly password: string }
  | { readonly authorization: string };

/** Parts of an app that Marathon adds on request. Counts and deployments always come. */
export type AppEmbed = 'tasks' | 'counts' | 'deployments' | 'readiness' | 'lastTaskFailure' | 'taskStats';

export interface AppFilter {
  /** Only apps in this group or below it, such as `/prod/web`. */
  readonly group?: string;
  /** Marathon's label selector, such as `slipway.service==web,tier in (a,b)`. */
  readonly label?: string;
  readonly embed?: readonly AppEmbed[];
}

/** Any call may be ended early; it then fails with `CancelledFailure`. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface ForceOption extends CallOptions {
  /** Cancels running deployments of the app, without rollback, instead of answering 409. */
  readonly force?: boolean;
}

interface Request<T extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | boolean | undefined>>;
  readonly body?: unknown;
  readonly schema: T;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A thin client of Marathon's `/v2` API: one method a call, no retry, no memory.
 *
 * Every method fails with an `ApplicationFailure`: `SystemUnavailable` when nothing answered, on 5xx, 408, 423, 425,
 * 429 and on 409 for a locked app (then the message names the deployments); `SystemRefused`, not retryable, on any
 * other 4xx, with Marathon's own message and details; `UnexpectedAnswer` when the answer is not what the API promises.
 * A failure to answer does not mean that the change was not made: read back before repeating. A signal ends reads at
 * once and lets no further call begin; a change that is under way is waited for.
 */
export class MarathonClient {
  /** Base address without a slash at its end. */
  readonly url: string;
  readonly #http: AxiosInstance;
  readonly #timeoutMs: number;

  constructor(options: MarathonOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    const auth = options.auth;
    this.#http = axios.create({
      baseURL: this.url,
      // Marathon is reached directly or by its own load balancer; a redirect would turn a POST into a GET.
      proxy: false,
      maxRedirects: 0,
      validateStatus: () => true,
      responseType: 'text',
      transformResponse: (text: unknown) => text,
      headers: {
        Accept: 'application/json',
        ...(auth && 'authorization' in auth ? { Authorization: auth.authorization } : {}),
      },
      ...(auth && 'username' in auth ? { auth: { username: auth.username, password: auth.password } } : {}),
    });
  }

  /** Creates an app; refused when one with this id exists. Unknown fields are ignored by Marathon: read back. */
  async createApp<T extends { readonly id: string }>(app: T, options: CallOptions = {}): Promise<MarathonApp> {
    return this.#call({ method: 'POST', path: '/v2/apps', body: app, schema: AppSchema, signal: options.signal });
  }

  /** The app with tasks, counts, deployments and last failure; undefined when there is none. */
  async getApp(
    id: string,
    options: CallOptions & { readonly embed?: readonly AppEmbed[] } = {},
  ): Promise<MarathonApp | undefined> {
    const embed = (options.embed ?? ['tasks', 'counts', 'deployments', 'lastTaskFailure']).map((part) => `app.${part}`);
    const answer = await this.#callUnlessMissing({
      method: 'GET',
      path: appPath(id),
      query: { embed },
      schema: AppAnswerSchema,
      signal: options.signal,
    });
    return answer?.app;
  }

  /** Sets the number of instances, and nothing else: any other field would restart every task. */
  async scaleApp(id: string, instances: number, options: ForceOption = {}): Promise<DeploymentResult> {
    return this.#call({
      method: 'PUT',
      path: appPath(id),
      query: { force: options.force },
      body: { instances },
      schema: DeploymentResultSchema,
      signal: options.signal,
    });
  }

  /** Removes the app and its tasks; undefined when there was none. Marathon cancels a running deployment of it. */
  async deleteApp(id: string, options: CallOptions = {}): Promise<DeploymentResult | undefined> {
    return this.#callUnlessMissing({
      method: 'DELETE',
      path: appPath(id),
      schema: DeploymentResultSchema,
      signal: options.signal,
    });
  }

  /** All apps that match, with counts and deployments, and with what `embed` asks for. */
  async listApps(filter: AppFilter = {}, options: CallOptions = {}): Promise<readonly MarathonApp[]> {
    const { apps } = await this.#call({
      method: 'GET',
      path: '/v2/apps',
      query: {
        label: filter.label,
        embed: ['counts', 'deployments', ...(filter.embed ?? [])].map((part) => `apps.${part}`),
      },
      schema: AppListSchema,
      signal: options.signal,
    });
    const group = filter.group?.replace(/\/+$/, '');
    return group ? apps.filter((app) => app.id.startsWith(`${group}/`)) : apps;
  }

  /** Tasks of an app, also those that are ending; undefined when there is no such app. */
  async listTasks(id: string, options: CallOptions = {}): Promise<readonly MarathonTask[] | undefined> {
    const answer = await this.#callUnlessMissing({
      method: 'GET',
      path: `${appPath(id)}/tasks`,
      schema: TaskListSchema,
      signal: options.signal,
    });
    return answer?.tasks;
  }

  /** All active tasks of all apps, also of apps that were deleted and still end where Marathon shows them. */
  async listAllTasks(options: CallOptions = {}): Promise<readonly MarathonTask[]> {
    const answer = await this.#call({
      method: 'GET',
      path: '/v2/tasks',
      schema: TaskListSchema,
      signal: options.signal,
    });
    return answer.tasks;
  }

  /** Kills tasks; Marathon starts replacements. Answers with those it found, as they were. */
  async killTasks(ids: readonly string[], options: CallOptions = {}): Promise<readonly MarathonTask[]> {
    const answer = await this.#call({
      method: 'POST',
      path: '/v2/tasks/delete',
      body: { ids },
      schema: TaskListSchema,
      signal: options.signal,
    });
    return answer.tasks;
  }

  /** Kills tasks and lowers the number of instances by as many. Not idempotent: prefer `scaleApp`. */
  async killTasksAndScale(ids: readonly string[], options: ForceOption = {}): Promise<DeploymentResult> {
    return this.#call({
      method: 'POST',
      path: '/v2/tasks/delete',
      query: { scale: true, force: options.force },
      body: { ids },
      schema: DeploymentResultSchema,
      signal: options.signal,
    });
  }

  /** The deployments that run now. One that is done or was cancelled is not in it. */
  async deployments(options: CallOptions = {}): Promise<readonly Deployment[]> {
    return this.#call({
      method: 'GET',
      path: '/v2/deployments',
      schema: DeploymentListSchema,
      signal: options.signal,
    });
  }

  /** Apps that have instances to start, why they wait and which offers did not fit. */
  async queue(options: CallOptions = {}): Promise<readonly QueueItem[]> {
    const { queue } = await this.#call({
      method: 'GET',
      path: '/v2/queue',
      schema: QueueSchema,
      signal: options.signal,
    });
    return queue;
  }

  async info(options: CallOptions = {}): Promise<MarathonInfo> {
    return this.#call({ method: 'GET', path: '/v2/info', schema: InfoSchema, signal: options.signal });
  }

  /** `host:port` of the leader; undefined while none is elected. */
  async leader(options: CallOptions = {}): Promise<string | undefined> {
    const answer = await this.#callUnlessMissing({
      method: 'GET',
      path: '/v2/leader',
      schema: LeaderSchema,
      signal: options.signal,
    });
    return answer?.leader;
  }

  /** Resolves when the process answers; says nothing about a leader or Mesos. */
  async ping(options: CallOptions = {}): Promise<void> {
    const { status, text } = await this.#send('GET', '/ping', undefined, undefined, options.signal);
    if (status !== 200) throw answerFailure(this.url, 'GET /ping', status, text);
  }

  async #call<T extends z.ZodType>(request: Request<T>): Promise<z.output<T>> {
    const answer = await this.#exchange(request);
    if (answer.ok) return answer.value;
    throw answerFailure(this.url, answer.call, answer.status, answer.text);
  }

  async #callUnlessMissing<T extends z.ZodType>(request: Request<T>): Promise<z.output<T> | undefined> {
    const answer = await this.#exchange(request);
    if (answer.ok) return answer.value;
    if (answer.status === 404) return undefined;
    throw answerFailure(this.url, answer.call, answer.status, answer.text);
  }

  async #exchange<T extends z.ZodType>(
    request: Request<T>,
  ): Promise<
    | { readonly ok: true; readonly value: z.output<T> }
    | { readonly ok: false; readonly call: string; readonly status: number; readonly text: string }
  > {
    const path = request.path + queryString(request.query ?? {});
    const call = `${request.method} ${path}`;
    const { status, text } = await this.#send(request.method, path, request.body, call, request.signal);
    if (status < 200 || status > 299) return { ok: false, call, status, text };
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch (error) {
      throw unexpectedAnswer(this.url, call, status, text, `is not JSON: ${(error as Error).message}`);
    }
    const parsed = request.schema.safeParse(body);
    if (parsed.success) return { ok: true, value: parsed.data };
    const where = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; ');
    throw unexpectedAnswer(this.url, call, status, text, `has not the promised form (${where})`);
  }

  async #send(
    method: string,
    path: string,
    body: unknown,
    call: string = `${method} ${path}`,
    signal?: AbortSignal,
  ): Promise<{ status: number; text: string }> {
    if (signal?.aborted) throw new CancelledFailure(`cancelled before ${call}`);
    // axios' own timeout starts anew with each byte on some paths; this one bounds the whole call.
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    // A change that is broken off may be made all the same, after whoever broke it off has put things back.
    const breaks = method === 'GET' ? signal : undefined;
    try {
      const response = await this.#http.request<string>({
        method,
        url: path,
        ...(body === undefined ? {} : { data: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
        signal: breaks ? AbortSignal.any([breaks, deadline]) : deadline,
      });
      return { status: response.status, text: response.data };
    } catch (error) {
      if (breaks?.aborted) throw new CancelledFailure(`cancelled during ${call}`);
      if (deadline.aborted) throw networkFailure(this.url, call, `no answer within ${this.#timeoutMs} ms`, error);
      if (axios.isAxiosError(error)) throw networkFailure(this.url, call, error.message || error.code || '', error);
      throw ApplicationFailure.create({
        type: FailureType.Internal,
        nonRetryable: true,
        message: `Marathon ${this.url}: ${call} could not be sent: ${error instanceof Error ? error.message : error}`,
      });
    }
  }
}

/** `/v2/apps/a/b` for the app `/a/b`. */
function appPath(id: string): string {
  const segments = id.split('/').filter((segment) => segment !== '');
  // Without a segment the path would be that of all apps, and a DELETE of nothing in particular must not be sent.
  if (segments.length === 0) {
    throw ApplicationFailure.create({
      type: FailureType.Internal,
      nonRetryable: true,
      message: `"${id}" is no Marathon app id`,
    });
  }
  return `/v2/apps/${segments.map(encodeURIComponent).join('/')}`;
}

function queryString(query: NonNullable<Request<z.ZodType>['query']>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === false) continue;
    for (const one of typeof value === 'object' ? value : [String(value)]) parameters.append(name, one);
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
