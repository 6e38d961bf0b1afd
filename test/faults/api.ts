import { ApiClient } from '../../cli/api-client.ts';
import type { Platform } from '../../local/platform/platform.ts';

/** The public API, as somebody who holds a token of it. */
export function apiOf({ urls, secrets }: Platform, person: string): ApiClient {
  const token = secrets.tokens[person];
  if (token === undefined) throw new Error(`${person} has no token`);
  return new ApiClient({ url: urls.api, token, language: 'en', interrupted: new AbortController().signal });
}
