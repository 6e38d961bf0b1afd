import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { FailureType } from '../../domain/failures.ts';
import type { GitlabConfiguration, ServiceConfiguration } from '../../domain/schemas/config.ts';
import { WebhookHeader } from '../../domain/standard-webhooks.ts';
import { Problem } from '../problem.ts';
import type { Releases } from '../releases.ts';
import { header, keepRawBodies, parseVerified, verifySignature } from '../signed-webhook.ts';
import { answer, PROBLEMS } from './answers.ts';
import { locationOf } from './releases.ts';

export interface GitlabRoutesOptions {
  readonly gitlab: GitlabConfiguration;
  readonly services: Readonly<Record<string, ServiceConfiguration>>;
  readonly releases: Releases;
  readonly nowSeconds: () => number;
}

/** The part of GitLab's push event that counts (https://docs.gitlab.com/user/project/integrations/webhook_events/). */
const pushSchema = z.looseObject({
  object_kind: z.string(),
  ref: z.string().optional(),
  /** Null when the branch was deleted. */
  checkout_sha: z
    .string()
    .regex(/^[0-9a-f]{40,64}$/)
    .nullish(),
  user_username: z.string().min(1).optional(),
  project: z
    .looseObject({
      git_http_url: z.string().optional(),
      git_ssh_url: z.string().optional(),
      web_url: z.string().optional(),
    })
    .optional(),
});

const pushAnswerSchema = z
  .object({
    releases: z.array(z.object({ id: z.string(), location: z.string() })),
    ignored: z.string().exactOptional().meta({ description: 'Why the event starts nothing.' }),
  })
  .meta({ id: 'PushAnswer' });

/** Push events of GitLab: a push to a service's branch releases its commit. The commit is the idempotency key. */
export const gitlabRoutes: FastifyPluginCallbackZod<GitlabRoutesOptions> = (app, options, done) => {
  keepRawBodies(app);

  app.post(
    '/v1/webhooks/gitlab',
    {
      schema: {
        tags: ['webhooks'],
        operationId: 'receiveGitlabEvent',
        summary: 'Push events of GitLab',
        description: 'Proved by X-Gitlab-Token, or by a Standard Webhooks signature.',
        security: [],
        body: pushSchema,
        response: {
          200: answer('The event starts nothing.', pushAnswerSchema),
          202: answer('The releases that it started, or had started before.', pushAnswerSchema),
          ...PROBLEMS,
        },
      },
      preValidation: async (request) => {
        proveSender(request, options);
        parseVerified(request);
      },
    },
    async (request, reply) => {
      const push = request.body;
      const commit = push.checkout_sha;
      if (push.object_kind !== 'push' || !commit) {
        return reply.code(200).send({ releases: [], ignored: 'only a push of commits starts a release' });
      }
      const services = servicesOf(push, options.services);
      if (services.length === 0) {
        return reply.code(200).send({ releases: [], ignored: 'no service is released from this branch' });
      }
      const releases = [];
      for (const service of services) {
        // The person who pushed asked for it, so that they can't approve their own release.
        const by = push.user_username ?? 'gitlab';
        const order = { service, ref: commit, whenBusy: options.gitlab.whenBusy ?? 'wait' };
        const { id } = await options.releases.start(order, commit, by);
        releases.push({ id, location: locationOf({ service, key: commit }) });
      }
      return reply.code(202).send({ releases });
    },
  );

  done();
};

function proveSender(request: FastifyRequest, { gitlab, nowSeconds }: GitlabRoutesOptions): void {
  const secrets = [gitlab.signingSecret, gitlab.previousSigningSecret].filter((secret) => secret !== undefined);
  if (secrets.length > 0 && header(request, WebhookHeader.Signature) !== undefined) {
    verifySignature(request, secrets, nowSeconds());
    return;
  }
  const token = header(request, 'x-gitlab-token');
  if (gitlab.token === undefined || token === undefined || !equal(gitlab.token, token)) {
    throw new Problem(FailureType.SignatureInvalid, 'neither a valid token nor a valid signature came with the event');
  }
}

function servicesOf(
  push: z.output<typeof pushSchema>,
  services: Readonly<Record<string, ServiceConfiguration>>,
): string[] {
  const { git_http_url, git_ssh_url, web_url } = push.project ?? {};
  const addresses = [git_http_url, git_ssh_url, web_url].filter((url) => url !== undefined).map(comparable);
  return Object.entries(services)
    .filter(
      ([, { repository, branch }]) => push.ref === `refs/heads/${branch}` && addresses.includes(comparable(repository)),
    )
    .map(([name]) => name);
}

/** The same repository is written with and without `.git`, a user or a last slash. */
function comparable(url: string): string {
  return url
    .toLowerCase()
    .replace(/^([a-z+]+:\/\/)[^/@]*@/, '$1')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
}

function equal(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
