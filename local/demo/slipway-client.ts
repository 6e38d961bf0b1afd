import { z } from 'zod';
import type { ReleaseView } from '../../domain/release.ts';

/** The demo's view of Slipway: its public API, as any user has it. */
export interface SlipwayClient {
  /** Tells that a commit was pushed, as GitLab does. @returns the release's service and key */
  pushed(commit: string): Promise<ReleaseName>;
  /** Starts a release of a commit that ends in this environment. */
  releaseUntil(commit: string, until: string): Promise<ReleaseName>;
  release(name: ReleaseName): Promise<ReleaseView>;
  lane(environment: string, service: string): Promise<LaneAnswer>;
}

export interface ReleaseName {
  readonly service: string;
  readonly key: string;
}

export type LaneAnswer = z.infer<typeof laneSchema>;

const TIMEOUT_MS = 15_000;

const pushSchema = z.object({ releases: z.array(z.object({ id: z.string() })).min(1) });
const startedSchema = z.object({ id: z.string() });
const laneSchema = z.looseObject({
  state: z.looseObject({
    current: z.looseObject({ revision: z.string(), instances: z.number() }).optional(),
  }),
  holder: z.string().optional(),
});

/** A client of the API at this address. */
export function slipwayClient(options: {
  readonly url: string;
  readonly token: string;
  readonly gitlabToken: string;
  readonly repository: string;
  readonly service: string;
}): SlipwayClient {
  async function call(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await fetch(`${options.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${options.token}`, 'content-type': 'application/json', ...init.headers },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }
  return {
    async pushed(commit) {
      const answer = await call('/v1/webhooks/gitlab', {
        method: 'POST',
        headers: { 'X-Gitlab-Token': options.gitlabToken },
        body: JSON.stringify({
          object_kind: 'push',
          ref: 'refs/heads/main',
          checkout_sha: commit,
          user_username: 'dev',
          project: { git_http_url: options.repository },
        }),
      });
      const { releases } = pushSchema.parse(answer);
      return nameOf(releases[0]?.id ?? '');
    },
    async releaseUntil(commit, until) {
      const answer = await call('/v1/releases', {
        method: 'POST',
        headers: { 'Idempotency-Key': `${commit}-${until}` },
        body: JSON.stringify({ service: options.service, ref: commit, until }),
      });
      return nameOf(startedSchema.parse(answer).id);
    },
    // The API's own answer, whose shape its tests hold to this type.
    release: async ({ service, key }) => (await call(`/v1/releases/${service}/${key}`)) as ReleaseView,
    lane: async (environment, service) => laneSchema.parse(await call(`/v1/lanes/${environment}/${service}`)),
  };
}

/** `release/<service>/<key>` in its parts. */
function nameOf(id: string): ReleaseName {
  const [, service = '', ...key] = id.split('/');
  return { service, key: key.join('/') };
}
