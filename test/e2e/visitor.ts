import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { serviceDnsName } from '../../domain/environment.ts';

const TIMEOUT_MS = 30_000;

/** What a client of a service got. */
export interface Visit {
  readonly status: number | undefined;
  /** The revision that answered, as the balancer tells it. */
  readonly revision: string | undefined;
  readonly body: unknown;
}

/** Asks a service for a page of JSON, by its name, at the place where that name leads. @param place `host:port` */
export async function visit(environment: string, service: string, place: string, path: string): Promise<Visit> {
  const { hostname, port } = new URL(`http://${place}`);
  const host = serviceDnsName(environment, service);
  const request = get({ host: hostname, port, path, headers: { host }, timeout: TIMEOUT_MS, agent: false });
  request.on('timeout', () => request.destroy(new Error(`${host} gave no answer in ${TIMEOUT_MS} ms`)));
  const [response]: IncomingMessage[] = await once(request, 'response');
  if (response === undefined) throw new Error(`${host} gave no answer`);
  const revision = response.headers['x-slipway-revision'];
  return { status: response.statusCode, revision: revision?.toString(), body: await json(response) };
}
