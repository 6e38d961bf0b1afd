import { randomUUID } from 'node:crypto';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { acceptedSchema, lanePathSchema, reasonSchema, releaseKeySchema } from '../../domain/schemas/api.ts';
import type { Drifts } from '../drift.ts';
import { answer, PROBLEMS } from './answers.ts';

const verbs = [
  ['adopt', 'adoptDrift', 'Take over what was changed by hand: from then on it is how it shall be'],
  ['revert', 'revertDrift', 'Put back what was changed by hand'],
] as const;

/** What is done about hand-made changes. */
export const driftRoutes: FastifyPluginCallbackZod<{ readonly drifts: Drifts }> = (app, { drifts }, done) => {
  for (const [verb, operationId, summary] of verbs) {
    app.post(
      `/v1/lanes/:environment/:service/${verb}`,
      {
        schema: {
          tags: ['lanes'],
          operationId,
          summary,
          description:
            'The release that holds the lane does it, else the lane; `drift` of either tells what comes of it.',
          params: lanePathSchema,
          headers: z.object({
            'idempotency-key': releaseKeySchema
              .exactOptional()
              .meta({ description: 'Names the click: sent again it counts once.' }),
          }),
          body: reasonSchema,
          response: { 202: answer('The command was taken.', acceptedSchema), ...PROBLEMS },
        },
      },
      async (request, reply) => {
        const { environment, service } = request.params;
        const id = await drifts.resolve(verb, request.params, {
          by: request.actor,
          clickId: request.headers['idempotency-key'] ?? randomUUID(),
          reason: request.body.reason,
        });
        return reply.code(202).send({ id, location: `/v1/lanes/${environment}/${service}` });
      },
    );
  }
  done();
};
