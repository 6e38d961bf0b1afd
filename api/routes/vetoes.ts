import { randomUUID } from 'node:crypto';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { laneFilterSchema, lanePathSchema, reasonSchema } from '../../domain/schemas/api.ts';
import { bundleIdSchema, vetoListSchema, vetoSchema } from '../../domain/schemas/veto.ts';
import type { Vetoes } from '../vetoes.ts';
import { answer, clickHeaders, PROBLEMS } from './answers.ts';

const tags = ['vetoes'];

/** Bundles that were rolled back and may not come again until somebody lifts that. */
export const vetoRoutes: FastifyPluginCallbackZod<{ readonly vetoes: Vetoes }> = (app, { vetoes }, done) => {
  app.get(
    '/v1/vetoes',
    {
      schema: {
        tags,
        operationId: 'listVetoes',
        summary: 'Which bundles may not come again, where, and why',
        querystring: laneFilterSchema,
        response: { 200: answer('The vetoes that hold.', vetoListSchema), ...PROBLEMS },
      },
    },
    async (request) => vetoes.list(request.query),
  );

  app.post(
    '/v1/lanes/:environment/:service/vetoes/:bundle/lift',
    {
      schema: {
        tags,
        operationId: 'liftVeto',
        summary: 'Let a bundle that was rolled back come again',
        params: lanePathSchema.extend({ bundle: bundleIdSchema }),
        headers: clickHeaders,
        body: reasonSchema,
        response: { 200: answer('What was lifted.', vetoSchema), ...PROBLEMS },
      },
    },
    async (request) =>
      vetoes.lift(request.params, {
        by: request.actor,
        clickId: request.headers['idempotency-key'] ?? randomUUID(),
        reason: request.body.reason,
      }),
  );

  done();
};
