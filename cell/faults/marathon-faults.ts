/** Puts the switches between Marathon and those who call or hear it. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { answerAdmin, FAULTS_PATH } from './admin.ts';
import type { FaultBoard } from './board.ts';
import { withRouteFaults } from './http-faults.ts';

/** Handles a request; resolves when it is answered, and never rejects. */
type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export function faultyListener(board: FaultBoard | undefined, serve: Serve): RequestListener {
  if (board === undefined) return (request, response) => void serve(request, response);
  return (request, response) => {
    const { method = 'GET', url = '/' } = request;
    if (url === FAULTS_PATH) void answer(board, request, response);
    else void withRouteFaults(board, { of: 'marathon', method, uri: url }, response, () => serve(request, response));
  };
}

async function answer(board: FaultBoard, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let status: number;
  let body: object;
  try {
    ({ status, body } = await answerAdmin(board, request.method ?? 'GET', await text(request)));
  } catch (error) {
    [status, body] = [500, { message: error instanceof Error ? error.message : String(error) }];
  }
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

/** What a stream does with an event: how often it is told, and after how long. */
export interface EventDelivery {
  readonly copies: 0 | 1 | 2;
  readonly delayMs: number;
}

const AS_IT_IS: EventDelivery = { copies: 1, delayMs: 0 };

export function deliveryOf(board: FaultBoard | undefined, type: string): EventDelivery {
  if (board === undefined) return AS_IT_IS;
  const fault = board.event(type);
  if (board.eventsSilent) return { copies: 0, delayMs: 0 };
  switch (fault?.kind) {
    case undefined:
      return AS_IT_IS;
    case 'lose':
      return { copies: 0, delayMs: 0 };
    case 'duplicate':
      return { copies: 2, delayMs: 0 };
    case 'delay':
      return { copies: 1, delayMs: fault.delayMs ?? 0 };
  }
}
