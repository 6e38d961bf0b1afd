import { randomUUID } from 'node:crypto';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { reasonSchema } from '../../domain/schemas/api.ts';
import { freezeListSchema, freezeOrderSchema, freezePathSchema, freezeSchema } from '../../domain/schemas/freeze.ts';
import type { Freezes } from '../freezes.ts';
import { answer, clickHeaders, PROBLEMS } from './answers.ts';

const tags = ['freezes'];

/** Stops for forward moves, everywhere or in some place, until somebody lifts them or their time has come. */
export const freezeRoutes: FastifyPluginCallbackZod<{ readonly freezes: Freezes }> = (app, { freezes }, done) => {
  app.get(
    '/v1/freezes',
    {
      schema: {
        tags,
        operationId: 'listFreezes',
        summary: 'What is frozen',
        response: { 200: answer('The freezes that hold.', freezeListSchema), ...PROBLEMS },
      },
    },
    async () => ({ freezes: [...(await freezes.list())] }),
  );

  app.post(
    '/v1/freezes',
    {
      schema: {
        tags,
        operationId: 'freeze',
        summary: 'Stop forward moves: of an environment, a service, both, or all',
        description: 'It counts from the answer on. Releases under way begin nothing more; ways back go on.',
        headers: clickHeaders,
        body: freezeOrderSchema,
        response: { 200: answer('The freeze, as it is recorded.', freezeSchema), ...PROBLEMS },
      },
    },
    async (request) =>
      freezes.freeze(request.body, {
        by: request.actor,
        clickId: request.headers['idempotency-key'] ?? randomUUID(),
      }),
  );

  app.post(
    '/v1/freezes/:id/lift',
    {
      schema: {
        tags,
        operationId: 'liftFreeze',
        summary: 'Lift a freeze: releases go on where they were',
        params: freezePathSchema,
        headers: clickHeaders,
        body: reasonSchema,
        response: { 200: answer('What was lifted.', freezeSchema), ...PROBLEMS },
      },
    },
    async (request) =>
      freezes.unfreeze(request.params.id, {
        by: request.actor,
        clickId: request.headers['idempotency-key'] ?? randomUUID(),
        reason: request.body.reason,
      }),
  );

  done();
};
