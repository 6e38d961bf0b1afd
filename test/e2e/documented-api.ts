import { z } from 'zod';

/** An answer of the API that its own document allows. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The HTTP API, held to its OpenAPI document with every call. */
export interface DocumentedApi {
  /**
   * @throws {Error} when the document does not know the operation, the status or the type of the answer, or when the
   * body is not of the documented form
   */
  call(method: 'GET' | 'POST', path: string, request?: ApiCall): Promise<Answer>;
}

export interface ApiCall {
  readonly token?: string;
  readonly key?: string;
  readonly body?: unknown;
}

const TIMEOUT_MS = 60_000;

const documentSchema = z.object({
  openapi: z.literal('3.1.0'),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        responses: z.record(
          z.string(),
          z.object({ content: z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) })) }),
        ),
      }),
    ),
  ),
});

/** Reads the document that the API at this address serves. */
export async function documentedApi(url: string): Promise<DocumentedApi> {
  const served = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const { components, paths } = documentSchema.parse(await served.json());

  function schemaOf(method: string, path: string, status: number, type: string): z.ZodType {
    const template = Object.keys(paths).find((candidate) => matches(candidate, path));
    const responses = paths[template ?? '']?.[method.toLowerCase()]?.responses;
    if (responses === undefined) throw new Error(`the document has no ${method} ${path}`);
    const response = responses[status] ?? responses[`${Math.floor(status / 100)}XX`];
    if (response === undefined) throw new Error(`the document has no answer ${status} to ${method} ${path}`);
    const content = response.content[type];
    if (content === undefined) throw new Error(`the document has no ${type} for ${status} to ${method} ${path}`);
    // JSON Schema keeps under $defs what OpenAPI keeps under components.
    const schema = JSON.stringify({ ...content.schema, $defs: components.schemas });
    return z.fromJSONSchema(JSON.parse(schema.replaceAll('#/components/schemas/', '#/$defs/')));
  }

  return {
    async call(method, path, { token, key, body } = {}) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
      const answer: unknown = await response.json();
      const parsed = schemaOf(method, path, response.status, type).safeParse(answer);
      if (!parsed.success) {
        const wrong = z.prettifyError(parsed.error);
        throw new Error(`${method} ${path} answers ${response.status} not as documented:\n${wrong}`);
      }
      return { status: response.status, body: answer };
    },
  };
}

function matches(template: string, path: string): boolean {
  const wanted = template.split('/');
  const given = path.replace(/\?.*/, '').split('/');
  return (
    wanted.length === given.length && wanted.every((part, index) => /^\{.*\}$/.test(part) || part === given[index])
  );
}
