import { request as httpRequest } from 'node:http';
import type { TakenEvent } from './event-record.ts';

/** A recorded request. */
export interface Request {
  readonly method: string;
  /** With its query, as the recorder wrote it. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** JSON; or, as text, exactly these bytes. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Parsed where it is JSON, else text; null when empty. */
  readonly body: unknown;
}

/** Asks as the recorder did: no header goes out that is not named, and the path is not tidied up. */
export function ask(url: string, { method, path, headers = {}, body }: Request): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const bytes = body === undefined || body === null ? undefined : Buffer.from(textOf(body));
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: hostname,
        port,
        method,
        path,
        agent: false,
        headers: { Connection: 'keep-alive', ...headers, ...(bytes ? { 'Content-Length': bytes.length } : {}) },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const isJson = /^application\/json/.test(answer.headers['content-type'] ?? '');
          // Some answers are JSON under another name.
          const read = text === '' ? null : isJson || text.startsWith('{') ? JSON.parse(text) : text;
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: read });
        });
      },
    );
    request.on('error', reject);
    request.end(bytes);
  });
}

/** Writes down all events but those about streams, from the moment it resolves until it is stopped. */
export async function listen(url: string): Promise<{ readonly events: readonly TakenEvent[]; stop(): void }> {
  const events: TakenEvent[] = [];
  const { hostname, port } = new URL(url);
  const options = { host: hostname, port, path: '/v2/events', agent: false, headers: { Accept: 'text/event-stream' } };
  const request = httpRequest(options);
  const attached = new Promise<void>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('error', reject);
      answer.on('data', (chunk: string) => {
        text += chunk;
        const frames = text.split('\r\n\r\n');
        text = frames.pop() ?? '';
        for (const frame of frames) {
          const [, eventType = '', data = 'null'] = /event: (.*)\r\ndata: (.*)$/.exec(frame.trim()) ?? [];
          // Keep-alives alone make no event.
          if (eventType === '') continue;
          if (eventType === 'event_stream_attached') resolve();
          if (!eventType.startsWith('event_stream_')) events.push({ eventType, data: JSON.parse(data) });
        }
      });
    });
  });
  request.end();
  await attached;
  return { events, stop: () => void request.destroy() };
}

/** A body that the recorder gave as text is not JSON, or not meant to be. */
function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}
