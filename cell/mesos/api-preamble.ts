/** What `/api/v1` and `/api/v1/scheduler` check before they look at the call. */
import { JSON_TYPE, type MediaType, PROTOBUF_TYPE } from './encoding.ts';
import { type HttpRequest, Refusal } from './http-server.ts';

/** Refuses any other method. */
export function requireMethod({ method }: HttpRequest, allowed: readonly string[]): void {
  if (allowed.includes(method)) return;
  const list = allowed.map((each) => `'${each}'`).join(', ');
  throw new Refusal(405, `405 Method Not Allowed. Expecting one of { ${list} }, but received '${method}'.`, {
    Allow: allowed.join(', '),
  });
}

/** The form of the body of a POST: one of two names, exactly, since Mesos refuses a charset. */
export function requirePost(request: HttpRequest): MediaType {
  requireMethod(request, ['POST']);
  const type = request.headers['content-type'];
  if (type === undefined) throw new Refusal(400, "Expecting 'Content-Type' to be present");
  if (type !== JSON_TYPE && type !== PROTOBUF_TYPE) {
    throw new Refusal(415, `Expecting 'Content-Type' of ${JSON_TYPE} or ${PROTOBUF_TYPE}`);
  }
  return type;
}

/** The form of the answer: JSON wherever the caller takes it, whatever it would like better. */
export function requireAcceptable({ headers: { accept } }: HttpRequest): MediaType {
  if (accepts(accept, JSON_TYPE)) return JSON_TYPE;
  if (accepts(accept, PROTOBUF_TYPE)) return PROTOBUF_TYPE;
  throw new Refusal(406, `Expecting 'Accept' to allow '${PROTOBUF_TYPE}' or '${JSON_TYPE}'`);
}

/**
 * As libprocess decides: the type by its name, else by its half, else by the wildcard, unless its quality is 0. No
 * Accept at all takes anything, an empty one nothing.
 */
function accepts(accept: string | undefined, mediaType: MediaType): boolean {
  if (accept === undefined) return true;
  const parts = accept
    .toLowerCase()
    .replaceAll(/\s/g, '')
    .split(',')
    .map((part) => part.split(';'));
  const first = [mediaType, 'application/*', '*/*']
    .map((candidate) => parts.find(([name]) => name === candidate))
    .find((part) => part !== undefined);
  if (first === undefined) return false;
  const quality = first.find((parameter) => parameter.startsWith('q='));
  return quality === undefined || Number(quality.slice(2)) > 0;
}
