/** What `/api/v1` and `/api/v1/scheduler` check before they look at the call. */
import { type HttpRequest, Refusal } from './http-server.ts';

const JSON_TYPE = 'application/json';
const PROTOBUF_TYPE = 'application/x-protobuf';

export function requireMethod({ method }: HttpRequest, allowed: readonly string[]): void {
  if (allowed.includes(method)) return;
  const list = allowed.map((each) => `'${each}'`).join(', ');
  throw new Refusal(405, `405 Method Not Allowed. Expecting one of { ${list} }, but received '${method}'.`, {
    Allow: allowed.join(', '),
  });
}

/** A POST of `application/json`, exactly: Mesos refuses a charset. */
export function requireJsonPost(request: HttpRequest): void {
  requireMethod(request, ['POST']);
  const type = request.headers['content-type'];
  if (type === undefined) throw new Refusal(400, "Expecting 'Content-Type' to be present");
  if (type === PROTOBUF_TYPE)
    throw new Refusal(501, `${PROTOBUF_TYPE} is not implemented by this cell; use ${JSON_TYPE}`);
  if (type !== JSON_TYPE) {
    throw new Refusal(415, `Expecting 'Content-Type' of ${JSON_TYPE} or ${PROTOBUF_TYPE}`);
  }
}

/** The caller must take JSON; no Accept at all takes anything. */
export function requireAcceptable(request: HttpRequest): void {
  const accept = request.headers.accept;
  if (accept === undefined || accept === '') return;
  const types = accept.split(',').map((part) => part.split(';')[0]?.trim());
  if (types.some((type) => type === '*/*' || type === 'application/*' || type === JSON_TYPE)) return;
  throw new Refusal(
    types.includes(PROTOBUF_TYPE) ? 501 : 406,
    types.includes(PROTOBUF_TYPE)
      ? `${PROTOBUF_TYPE} is not implemented by this cell; use ${JSON_TYPE}`
      : `Expecting 'Accept' to allow '${PROTOBUF_TYPE}' or '${JSON_TYPE}'`,
  );
}
