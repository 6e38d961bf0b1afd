/** Access to a registry: basic authentication, or a token from the server that the registry names. */
import { answerFailure, networkFailure, unexpectedAnswer } from './errors.ts';
import { tokenSchema } from './types.ts';

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

/** How long a token lives whose server does not say (distribution specification, token authentication). */
const DEFAULT_TOKEN_SECONDS = 60;
/** Taken off a token's life, so that it does not end on its way. */
const MARGIN_MS = 5_000;

export interface AuthorizationOptions {
  /** The registry's address, for messages. */
  readonly url: string;
  readonly credentials?: RegistryCredentials | undefined;
  readonly timeoutMs: number;
}

/** Remembers what each scope was granted; one instance serves one registry. */
export class Authorization {
  readonly #options: AuthorizationOptions;
  readonly #tokens = new Map<string, { readonly header: string; readonly expires: number }>();

  constructor(options: AuthorizationOptions) {
    this.#options = options;
  }

  /** The header for a scope such as `repository:sample:pull`, if it is known already. */
  headerFor(scope: string): string | undefined {
    const known = this.#tokens.get(scope);
    return known !== undefined && known.expires > performance.now() ? known.header : undefined;
  }

  /**
   * Answers a 401: the header with which to ask again; undefined when the registry asks for credentials that are not
   * configured, or for a scheme that is neither Basic nor Bearer.
   */
  async answer(challenge: string | null, scope: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    const { scheme, parameters } = parseChallenge(challenge ?? '');
    const header =
      scheme === 'bearer'
        ? await this.#token(parameters, scope, signal)
        : scheme === 'basic'
          ? this.#basic()
          : undefined;
    if (header === undefined) return undefined;
    if (scheme === 'basic') this.#tokens.set(scope, { header, expires: Number.POSITIVE_INFINITY });
    return header;
  }

  #basic(): string | undefined {
    const { credentials } = this.#options;
    if (credentials === undefined) return undefined;
    return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  }

  async #token(
    parameters: ReadonlyMap<string, string>,
    scope: string,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const { url, timeoutMs } = this.#options;
    const realm = parameters.get('realm');
    if (realm === undefined || !URL.canParse(realm))
      throw unexpectedAnswer(url, 'authentication', 'names no token server');
    const tokenUrl = new URL(realm);
    const service = parameters.get('service');
    if (service !== undefined) tokenUrl.searchParams.set('service', service);
    tokenUrl.searchParams.set('scope', scope);
    const basic = this.#basic();
    const deadline = AbortSignal.timeout(timeoutMs);
    const call = `token for ${scope}`;
    let response: Response;
    let text: string;
    try {
      response = await fetch(tokenUrl, {
        headers: basic === undefined ? {} : { Authorization: basic },
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      });
      text = await response.text();
    } catch (error) {
      signal?.throwIfAborted();
      throw networkFailure(tokenUrl.origin, call, error);
    }
    if (!response.ok) throw answerFailure(tokenUrl.origin, call, response.status, text);
    const answer = tokenSchema.safeParse(parseJson(text)).data;
    const token = answer?.token ?? answer?.access_token;
    if (token === undefined) throw unexpectedAnswer(tokenUrl.origin, call, 'holds no token');
    const lifeMs = (answer?.expires_in ?? DEFAULT_TOKEN_SECONDS) * 1000 - MARGIN_MS;
    const header = `Bearer ${token}`;
    this.#tokens.set(scope, { header, expires: performance.now() + lifeMs });
    return header;
  }
}

/** `Bearer realm="https://auth.example/token",service="registry"`, RFC 9110 section 11.6.1, the first challenge only. */
export function parseChallenge(challenge: string): { scheme: string; parameters: ReadonlyMap<string, string> } {
  const [scheme = ''] = challenge.trimStart().split(' ', 1);
  const parameters = new Map<string, string>();
  for (const [, name, quoted, token] of challenge
    .slice(scheme.length)
    .matchAll(/([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)) {
    if (name !== undefined) parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
  }
  return { scheme: scheme.toLowerCase(), parameters };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is no token; the caller says so.
    return undefined;
  }
}
