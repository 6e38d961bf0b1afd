import { randomUUID } from 'node:crypto';
import swagger from '@fastify/swagger';
import type { Client } from '@temporalio/client';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { z } from 'zod';
import { FailureType } from '../domain/failures.ts';
import { HttpFailure } from '../domain/schemas/api.ts';
import type { Configuration } from '../domain/schemas/config.ts';
import { plainMessage } from '../domain/schemas/input-errors.ts';
import { authenticateBy } from './authentication.ts';
import { Drifts } from './drift.ts';
import { Freezes } from './freezes.ts';
import { Lanes } from './lanes.ts';
import { openApiObject } from './openapi.ts';
import { asProblem, Problem, preferredLanguage, problemDocument } from './problem.ts';
import { Releases } from './releases.ts';
import { auditRoutes } from './routes/audit.ts';
import { chatRoutes } from './routes/chat.ts';
import { controlRoutes } from './routes/controls.ts';
import { driftRoutes } from './routes/drift.ts';
import { freezeRoutes } from './routes/freezes.ts';
import { gitlabRoutes } from './routes/gitlab.ts';
import { healthRoutes } from './routes/health.ts';
import { laneRoutes } from './routes/lanes.ts';
import { rejudgeRoutes } from './routes/rejudge.ts';
import { releaseEventRoutes } from './routes/release-events.ts';
import { releaseRoutes } from './routes/releases.ts';
import { vetoRoutes } from './routes/vetoes.ts';
import { Vetoes } from './vetoes.ts';

export interface ServerOptions {
  readonly client: Client;
  readonly configuration: Pick<Configuration, 'api' | 'chat' | 'environments' | 'services'> &
    Partial<Pick<Configuration, 'gitlab'>>;
  readonly logger: FastifyBaseLogger;
  /** The clock against which signatures are checked, seconds since 1970. */
  readonly nowSeconds?: () => number;
}

/** A manifest's worth of JSON is far below; a larger body is a mistake. */
const BODY_LIMIT_BYTES = 1_048_576;

/**
 * The HTTP API, ready to `listen` or `inject`. Everything under `/v1` needs a bearer token, webhooks a signature;
 * every error is a problem document; the OpenAPI 3.1 document is at `/openapi.json`. `close` ends event streams.
 */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { client, configuration, logger } = options;
  const nowSeconds = options.nowSeconds ?? (() => Math.floor(Date.now() / 1000));
  const app = fastify({
    loggerInstance: logger,
    // One line a request, when it has been answered: see logRequest.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: 30_000,
    genReqId: (request) => saneRequestId(request.headers['x-request-id']) ?? randomUUID(),
  });
  // The provider leaves no other way to word what its validator finds; what a schema says itself goes before this.
  z.config({ customError: plainMessage });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.decorateRequest('actor', '');

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => logRequest(request, reply));
  app.setErrorHandler((error, request, reply) => answerProblem(asProblem(error), request, reply));
  app.setNotFoundHandler((request, reply) =>
    answerProblem(new Problem(HttpFailure.UnknownRoute, `${request.method} ${pathOf(request)}`), request, reply),
  );

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Slipway',
        version: '1',
        description: 'Takes a Docker service from a git push to production on Mesos and Marathon.',
      },
      servers: [{ url: configuration.api.url }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: openApiObject,
  });

  const releases = new Releases(client, configuration);
  const lanes = new Lanes(client, configuration);
  const vetoes = new Vetoes(client, configuration, lanes);
  const drifts = new Drifts(client, configuration);
  const freezes = new Freezes(client, configuration);
  const typed = app.withTypeProvider<ZodTypeProvider>();
  await typed.register(healthRoutes, { client });
  await typed.register(async (guarded) => {
    const authenticate = authenticateBy(configuration.api.tokens);
    guarded.addHook('onRequest', async (request, reply) => {
      const actor = authenticate(request.headers.authorization);
      if (actor === undefined) {
        reply.header('www-authenticate', 'Bearer');
        throw new Problem(FailureType.Unauthenticated, 'send a configured token as Authorization: Bearer');
      }
      request.actor = actor;
    });
    await guarded.register(releaseRoutes, { client, releases });
    await guarded.register(controlRoutes, { releases });
    await guarded.register(freezeRoutes, { freezes });
    await guarded.register(releaseEventRoutes, { releases });
    await guarded.register(laneRoutes, { lanes });
    await guarded.register(vetoRoutes, { vetoes });
    await guarded.register(driftRoutes, { drifts });
    await guarded.register(auditRoutes, { client });
    await guarded.register(rejudgeRoutes, { client });
  });
  const { gitlab, chat, services } = configuration;
  if (gitlab !== undefined) await typed.register(gitlabRoutes, { gitlab, services, releases, nowSeconds });
  if (chat.inbound !== undefined)
    await typed.register(chatRoutes, { inbound: chat.inbound, freezes, releases, vetoes, drifts, nowSeconds });

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  return app;
}

function answerProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (problem.status >= 500) request.log.error({ err: problem, ...subjectOf(request) }, problem.message);
  if (problem.status === 503) reply.header('retry-after', '2');
  const language = preferredLanguage(request.headers['accept-language']);
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send(problemDocument(problem, { path: pathOf(request), id: request.id, language }));
}

function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  request.log.info(
    {
      method: request.method,
      path: pathOf(request),
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime),
      ...(request.actor === '' ? {} : { actor: request.actor }),
      ...subjectOf(request),
    },
    'request',
  );
}

/** What a request is about, so that the logs of a release can be found by its name. */
function subjectOf(request: FastifyRequest): Record<string, string> {
  const { service, key, environment } = { ...fields(request.body), ...fields(request.params) };
  return {
    ...(service === undefined ? {} : { service }),
    ...(service === undefined || key === undefined ? {} : { release: `release/${service}/${key}` }),
    ...(environment === undefined ? {} : { environment }),
  };
}

function fields(value: unknown): Partial<Record<'service' | 'key' | 'environment', string>> {
  if (typeof value !== 'object' || value === null) return {};
  const named = Object.entries(value).filter(([, field]) => typeof field === 'string');
  return Object.fromEntries(named);
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url;
}

function saneRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{8,100}$/.test(header) ? header : undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who holds the token of the request; empty where none is needed. */
    actor: string;
  }
}
