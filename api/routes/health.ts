import type { Client } from '@temporalio/client';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { answer, PROBLEMS } from './answers.ts';

const QUESTION_MS = 3_000;
const okSchema = z.object({ status: z.literal('ok') });
const tags = ['health'];

/** For load balancers and supervisors; needs no token. */
export const healthRoutes: FastifyPluginCallbackZod<{ readonly client: Client }> = (app, { client }, done) => {
  app.get(
    '/healthz',
    {
      schema: {
        tags,
        operationId: 'getHealth',
        summary: 'The API runs',
        security: [],
        response: { 200: answer('Yes.', okSchema), ...PROBLEMS },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        tags,
        operationId: 'getReadiness',
        summary: 'The API reaches Temporal and its namespace',
        security: [],
        response: { 200: answer('Yes.', okSchema), ...PROBLEMS },
      },
    },
    async () => {
      await client.withDeadline(Date.now() + QUESTION_MS, () =>
        client.workflowService.describeNamespace({ namespace: client.options.namespace }),
      );
      return { status: 'ok' as const };
    },
  );

  done();
};
