/** A subscription as it comes over the wire, for what clients do not show: headers, chunks and framing. */
import { type IncomingHttpHeaders, request } from 'node:http';
import { RecordDecoder } from '../../activities/mesos/recordio.ts';

export interface RawStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As Node's parser hands them out: one HTTP chunk each. */
  readonly chunks: readonly string[];
  readonly events: readonly RawEvent[];
  /** Whether the other side has ended it. */
  readonly ended: boolean;
  close(): void;
}

/** Any event, by whatever fields it has. */
export interface RawEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Sends a call as JSON; resolves with the head of the answer. */
export function openStream(
  url: string,
  call: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawStream> {
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json', ...headers } },
      (response) => {
        const decoder = new RecordDecoder();
        const stream = {
          status: response.statusCode ?? 0,
          headers: response.headers,
          chunks: [] as string[],
          events: [] as RawEvent[],
          ended: false,
          close: () => asked.destroy(),
        };
        response.on('data', (chunk: Buffer) => {
          stream.chunks.push(chunk.toString());
          stream.events.push(...decoder.push(chunk).map((record) => JSON.parse(String(record)) as RawEvent));
        });
        response.on('end', () => {
          stream.ended = true;
        });
        // A stream that is closed here is aborted there.
        response.on('error', () => undefined);
        resolve(stream);
      },
    );
    asked.on('error', reject);
    asked.end(JSON.stringify(call));
  });
}

/** Subscribes a framework that does nothing. */
export function subscribeRaw(
  masterUrl: string,
  frameworkInfo: object,
  headers?: Readonly<Record<string, string>>,
): Promise<RawStream> {
  const id = (frameworkInfo as { readonly id?: object }).id;
  const call = {
    type: 'SUBSCRIBE',
    ...(id === undefined ? {} : { framework_id: id }),
    subscribe: { framework_info: { user: 'root', name: 'raw', ...frameworkInfo } },
  };
  return openStream(`${masterUrl}/api/v1/scheduler`, call, headers);
}
