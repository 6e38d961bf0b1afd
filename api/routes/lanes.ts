import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { laneFilterSchema, laneListSchema, lanePathSchema, laneSchema } from '../../domain/schemas/api.ts';
import type { Lanes } from '../lanes.ts';
import { answer, PROBLEMS } from './answers.ts';

const tags = ['lanes'];

/** What runs where. */
export const laneRoutes: FastifyPluginCallbackZod<{ readonly lanes: Lanes }> = (app, { lanes }, done) => {
  app.get(
    '/v1/lanes',
    {
      schema: {
        tags,
        operationId: 'listLanes',
        summary: 'What runs where',
        querystring: laneFilterSchema,
        response: { 200: answer('The lanes.', laneListSchema), ...PROBLEMS },
      },
    },
    async (request) => ({ lanes: await lanes.list(request.query) }),
  );

  app.get(
    '/v1/lanes/:environment/:service',
    {
      schema: {
        tags,
        operationId: 'getLane',
        summary: 'What runs of a service in an environment, who holds the lane and who waits for it',
        params: lanePathSchema,
        response: { 200: answer('The lane; empty before the first release.', laneSchema), ...PROBLEMS },
      },
    },
    async (request) => lanes.view(request.params.environment, request.params.service),
  );

  done();
};
