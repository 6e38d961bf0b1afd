/** Carries out what the switches say of a request; without a board nothing stands in between. */
import type { ServerResponse } from 'node:http';
import type { FaultBoard } from './board.ts';
import type { RoutedRequest } from './decisions.ts';
import type { RouteFault } from './switches.ts';

/**
 * Handles a request, unless a fault is meant for it.
 * @param handle answers on the response; may resolve before or after it has
 */
export function withRouteFaults(
  board: FaultBoard,
  request: RoutedRequest,
  response: ServerResponse,
  handle: () => void | Promise<void>,
): void | Promise<void> {
  const fault = board.route(request);
  switch (fault?.kind) {
    case undefined:
      return handle();
    case 'delay':
      return delayed(fault.delayMs ?? 0, response, handle);
    case 'drop':
      return reset(response);
    case 'drop-after-apply':
      return instead(response, handle, () => reset(response));
    case '503-before':
      return refuse(fault, request, response);
    case '503-after-apply':
      return instead(response, handle, () => refuse(fault, request, response));
    case 'hang':
      return;
  }
}

async function delayed(ms: number, response: ServerResponse, handle: () => void | Promise<void>): Promise<void> {
  const waited = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(resolve, ms, true);
    response.once('close', () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
  if (waited) await handle();
}

function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

function refuse(fault: RouteFault, { of }: RoutedRequest, response: ServerResponse): void {
  const message = 'a fault switch of the cell is on';
  const [type, body] =
    of === 'marathon' ? ['application/json', JSON.stringify({ message })] : ['text/plain; charset=utf-8', message];
  response.writeHead(fault.status ?? 503, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

/** Lets the handler answer into the void, and answers something else once it has, or once a stream has begun. */
function instead(
  response: ServerResponse,
  handle: () => void | Promise<void>,
  answer: () => void,
): void | Promise<void> {
  const { writeHead, end } = response;
  let given = false;
  const finish = () => {
    if (given) return response;
    given = true;
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    response.writeHead = writeHead;
    response.end = end;
    answer();
    // A stream goes on writing; nobody hears it.
    response.end = () => response;
    return response;
  };
  response.writeHead = () => response;
  response.write = () => true;
  response.flushHeaders = finish;
  response.end = finish;
  return handle();
}
