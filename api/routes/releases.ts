import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  acceptedSchema,
  approvalOrderSchema,
  orderSchema,
  reasonSchema,
  releaseFilterSchema,
  releaseKeySchema,
  releaseListSchema,
  releasePathSchema,
  rollbackOrderSchema,
} from '../../domain/schemas/api.ts';
import { approvalSchema, planSchema, releaseSchema } from '../../domain/schemas/release.ts';
import { listReleases } from '../release-list.ts';
import type { ReleaseName } from '../release-runs.ts';
import type { Releases } from '../releases.ts';
import { answer, clickHeaders, PROBLEMS } from './answers.ts';

export interface ReleaseRoutesOptions {
  readonly client: Client;
  readonly releases: Releases;
}

const startHeaders = z.object({
  'idempotency-key': releaseKeySchema,
});
const tags = ['releases'];

export const locationOf = ({ service, key }: ReleaseName): string => `/v1/releases/${service}/${key}`;

/** Starting, reading and commanding releases. */
export const releaseRoutes: FastifyPluginCallbackZod<ReleaseRoutesOptions> = (app, { client, releases }, done) => {
  app.post(
    '/v1/releases',
    {
      schema: {
        tags,
        operationId: 'startRelease',
        summary: 'Release a commit, or a bundle that was built before',
        description:
          'Asked again with the same Idempotency-Key it is the same release: 202 while it runs, 200 with its end after.',
        headers: startHeaders,
        body: orderSchema,
        response: {
          200: answer('It has ended; this is how.', releaseSchema),
          202: answer('It runs.', acceptedSchema),
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key'];
      const { id, ended } = await releases.start(request.body, key, request.actor);
      const location = locationOf({ service: request.body.service, key });
      reply.header('location', location);
      return ended === undefined ? reply.code(202).send({ id, location }) : reply.code(200).send(ended);
    },
  );

  app.get(
    '/v1/releases',
    {
      schema: {
        tags,
        operationId: 'listReleases',
        summary: 'Releases: those that run, then those that ended last',
        querystring: releaseFilterSchema,
        response: {
          200: answer('As the search index knows them, which is about a second behind.', releaseListSchema),
          ...PROBLEMS,
        },
      },
    },
    async (request) => listReleases(client, request.query),
  );

  app.get(
    '/v1/releases/:service/:key',
    {
      schema: {
        tags,
        operationId: 'getRelease',
        summary: 'Everything about a release',
        params: releasePathSchema,
        response: { 200: answer('The release.', releaseSchema), ...PROBLEMS },
      },
    },
    async (request) => releases.view(request.params),
  );

  app.post(
    '/v1/releases/:service/:key/approve',
    {
      schema: {
        tags,
        operationId: 'approveRelease',
        summary: 'Approve the plan that waits',
        params: releasePathSchema,
        headers: clickHeaders,
        body: approvalOrderSchema,
        response: { 200: answer('The approval, as it is recorded.', approvalSchema), ...PROBLEMS },
      },
    },
    async (request) =>
      releases.approve(request.params, {
        by: request.actor,
        clickId: request.headers['idempotency-key'] ?? randomUUID(),
        ...request.body,
      }),
  );

  const stops = [
    ['reject', 'rejectRelease', 'Refuse the plan that waits: the release is undone'],
    ['abort', 'abortRelease', 'Stop the release and undo what it changed'],
  ] as const;
  for (const [verb, operationId, summary] of stops) {
    app.post(
      `/v1/releases/:service/:key/${verb}`,
      {
        schema: {
          tags,
          operationId,
          summary,
          params: releasePathSchema,
          headers: clickHeaders,
          body: reasonSchema,
          response: { 202: answer('The command was taken.', acceptedSchema), ...PROBLEMS },
        },
      },
      async (request, reply) => {
        const clickId = request.headers['idempotency-key'] ?? randomUUID();
        await releases[verb](request.params, { by: request.actor, clickId, reason: request.body.reason });
        return reply.code(202).send(accepted(request.params));
      },
    );
  }

  app.post(
    '/v1/releases/:service/:key/rollback',
    {
      schema: {
        tags,
        operationId: 'rollbackRelease',
        summary: 'Go back to the revision before, also after the release has ended',
        description: 'A release that runs does it itself. For one that has ended another release is started.',
        params: releasePathSchema,
        headers: clickHeaders,
        body: rollbackOrderSchema,
        response: { 202: answer('The command was taken.', acceptedSchema), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key'];
      const by = await releases.rollback(request.params, {
        by: request.actor,
        clickId: key ?? randomUUID(),
        ...request.body,
        ...(key === undefined ? {} : { key }),
      });
      return reply.code(202).header('location', locationOf(by)).send(accepted(by));
    },
  );

  app.post(
    '/v1/plans',
    {
      schema: {
        tags,
        operationId: 'planRelease',
        summary: 'The plan that an order would get, without running it',
        body: orderSchema,
        response: { 200: answer('The plan.', planSchema), ...PROBLEMS },
      },
    },
    async (request) => releases.plan(request.body, request.actor),
  );

  done();
};

function accepted(name: ReleaseName): { id: string; location: string } {
  return { id: `release/${name.service}/${name.key}`, location: locationOf(name) };
}
