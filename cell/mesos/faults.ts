/** Puts the switches between a master or an agent and those who call it, and between an agent and its tasks. */

import { answerAdmin, FAULTS_PATH } from '../faults/admin.ts';
import type { FaultBoard } from '../faults/board.ts';
import { withRouteFaults } from '../faults/http-faults.ts';
import { JSON_TYPE, PROTOBUF_TYPE, readCall } from './encoding.ts';
import { type Handler, type HttpRequest, Refusal, sendBody } from './http-server.ts';
import { OPERATOR_CALL, SCHEDULER_CALL } from './protobuf/messages.ts';
import { LaunchError, type Runtime } from './runtime.ts';

/** Without a board it is the handler itself. */
export function faultyHandler(board: FaultBoard | undefined, of: 'mesos' | 'agent', handler: Handler): Handler {
  if (board === undefined) return handler;
  return async (request, response) => {
    const { method, path, query, body } = request;
    if (of === 'mesos' && path === FAULTS_PATH) {
      const answer = await answerAdmin(board, method, body.toString());
      sendBody(response, answer.status, 'application/json', Buffer.from(JSON.stringify(answer.body)));
      return;
    }
    const uri = query.size === 0 ? path : `${path}?${query}`;
    await withRouteFaults(board, { of, method, uri, call: callOf(request) }, response, () =>
      handler(request, response),
    );
  };
}

/** The type of a call of a v1 API, in either form; undefined for what is no such call. */
export function callOf({ method, path, headers, body }: HttpRequest): string | undefined {
  const mediaType = headers['content-type'];
  if (method !== 'POST' || (mediaType !== JSON_TYPE && mediaType !== PROTOBUF_TYPE)) return undefined;
  try {
    const { type } = readCall(path.endsWith('/scheduler') ? SCHEDULER_CALL : OPERATOR_CALL, body, mediaType);
    return typeof type === 'string' ? type : undefined;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Without a board it is the runtime itself. */
export function faultyRuntime(board: FaultBoard | undefined, agent: string, runtime: Runtime): Runtime {
  if (board === undefined) return runtime;
  return {
    ...runtime,
    prepare: async (spec, signal) => {
      const fault = board.task({ id: spec.task.task_id.value, agent });
      if (fault?.kind === 'fail') {
        throw new LaunchError(fault.message ?? 'Failed to launch container: a fault switch of the cell is on');
      }
      if (fault?.kind === 'slow') await pause(fault.delayMs ?? 0, signal);
      await runtime.prepare(spec, signal);
    },
  };
}

/** Ends early when the launch is called off; the caller looks. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over);
  });
}
