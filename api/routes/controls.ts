import { randomUUID } from 'node:crypto';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { CONTROL_VERBS, type ControlVerb } from '../../domain/controls.ts';
import { releasePathSchema } from '../../domain/schemas/api.ts';
import { controlAnswerSchema, controlOrderSchema } from '../../domain/schemas/controls.ts';
import type { Releases } from '../releases.ts';
import { answer, clickHeaders, PROBLEMS } from './answers.ts';

const SUMMARIES: Readonly<Record<ControlVerb, string>> = {
  pause: 'Begin no further effect until it is resumed',
  resume: 'Go on after a pause',
  'skip-hold': 'End the hold, or the bake, that is under way',
  'skip-analysis': 'End the analysis under way without a verdict; two people other than the requester',
  'retry-step': 'Try a step again that failed and waits for that',
  'promote-fully':
    'Skip the holds, analyses and approvals that are left in this environment, by as many people as those need',
};

/** What people say to a release that runs, besides what ends it. */
export const controlRoutes: FastifyPluginCallbackZod<{ readonly releases: Releases }> = (app, { releases }, done) => {
  for (const [verb, name] of Object.entries(CONTROL_VERBS)) {
    app.post(
      `/v1/releases/:service/:key/${verb}`,
      {
        schema: {
          tags: ['releases'],
          operationId: `${name}Release`,
          summary: SUMMARIES[verb as ControlVerb],
          params: releasePathSchema,
          headers: clickHeaders,
          body: controlOrderSchema,
          response: { 200: answer('The word was taken.', controlAnswerSchema), ...PROBLEMS },
        },
      },
      async (request) =>
        releases.control(request.params, name, {
          by: request.actor,
          clickId: request.headers['idempotency-key'] ?? randomUUID(),
          ...request.body,
        }),
    );
  }
  done();
};
