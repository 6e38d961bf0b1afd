import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { z } from 'zod';
import { buildServer } from './server.ts';

/** The parts of the OpenAPI 3.1 specification that the document uses, strictly: https://spec.openapis.org/oas/v3.1.0 */
const reference = z.strictObject({
  $ref: z.string().regex(/^#\/components\/schemas\/[A-Za-z0-9._-]+$/),
  description: z.string().optional(),
});

const typeName = z.enum(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']);

/** JSON Schema 2020-12; no keyword of the older dialects, such as `nullable` or a boolean `exclusiveMinimum`. */
const jsonSchema: z.ZodType = z.lazy(() =>
  z.union([
    reference,
    z.strictObject({
      type: z.union([typeName, z.array(typeName)]).optional(),
      description: z.string().optional(),
      default: z.unknown().optional(),
      enum: z.array(z.unknown()).optional(),
      const: z.unknown().optional(),
      format: z.string().optional(),
      pattern: z.string().optional(),
      minLength: z.int().optional(),
      maxLength: z.int().optional(),
      minimum: z.number().optional(),
      maximum: z.number().optional(),
      exclusiveMinimum: z.number().optional(),
      exclusiveMaximum: z.number().optional(),
      minItems: z.int().optional(),
      items: jsonSchema.optional(),
      properties: z.record(z.string(), jsonSchema).optional(),
      required: z.array(z.string()).optional(),
      additionalProperties: z.union([z.boolean(), jsonSchema]).optional(),
      propertyNames: jsonSchema.optional(),
      anyOf: z.array(jsonSchema).optional(),
      oneOf: z.array(jsonSchema).optional(),
      allOf: z.array(jsonSchema).optional(),
    }),
  ]),
);
const content = z.record(z.string().regex(/^[a-z]+\/[a-z+-]+$/), z.strictObject({ schema: jsonSchema }));
const operationSchema = z.strictObject({
  operationId: z.string(),
  summary: z.string().min(1),
  description: z.string().optional(),
  tags: z.array(z.string()),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  parameters: z
    .array(
      z.strictObject({
        name: z.string(),
        in: z.enum(['path', 'query', 'header']),
        required: z.boolean().optional(),
        description: z.string().optional(),
        schema: jsonSchema,
      }),
    )
    .default([]),
  requestBody: z.strictObject({ required: z.boolean(), content }).optional(),
  responses: z.record(
    z.string().regex(/^([1-5]\d\d|[1-5]XX|default)$/),
    z.strictObject({ description: z.string().min(1), content }),
  ),
});
const documentSchema = z.strictObject({
  openapi: z.literal('3.1.0'),
  info: z.strictObject({ title: z.string(), version: z.string(), description: z.string() }),
  servers: z.array(z.strictObject({ url: z.url() })),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  components: z.strictObject({
    securitySchemes: z.record(z.string(), z.strictObject({ type: z.literal('http'), scheme: z.literal('bearer') })),
    schemas: z.record(z.string(), jsonSchema),
  }),
  paths: z.record(z.string().startsWith('/'), z.partialRecord(z.enum(['get', 'post']), operationSchema)),
});

describe('the OpenAPI document', () => {
  const connection = Connection.lazy({ address: '127.0.0.1:1' });
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const routes: string[] = [];
  let app: FastifyInstance;
  let document: z.output<typeof documentSchema>;

  beforeAll(async () => {
    app = await buildServer({
      client: new Client({ connection }),
      logger: pino({ level: 'silent' }),
      configuration: {
        api: { listen: '127.0.0.1:8090', url: 'http://127.0.0.1:8090', tokens: [{ name: 'ann', token: 'a' }] },
        chat: { inbound: { secret }, outbound: [] },
        gitlab: { token: 'g' },
        environments: {},
        services: {},
      },
    });
    await app.ready();
    for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
      const [, path, methods] = /(\/\S*) \(([A-Z, ]+)\)$/.exec(line) ?? [];
      if (path === undefined || methods === undefined) continue;
      for (const method of methods.split(', ')) routes.push(`${method} ${path}`);
    }
    document = documentSchema.parse((await app.inject('/openapi.json')).json());
  });

  afterAll(async () => {
    await app?.close();
    await connection.close();
  });

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, operation]) =>
        operation === undefined ? [] : [{ path, method: method.toUpperCase(), ...operation }],
      ),
    );

  it('describes every route', () => {
    const described = operations().map(({ method, path }) => `${method} ${path}`);
    expect(described.length).toBeGreaterThanOrEqual(15);
    // Of `app.printRoutes` only the last parts of paths are told; each must end a described path, and as often.
    const own = routes.filter((route) => !/^HEAD |openapi/.test(route));
    expect(own).toHaveLength(described.length);
  });

  it('names each operation once, and each parameter of its path', () => {
    const ids = operations().map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, parameters } of operations()) {
      const named = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
      const declared = parameters.filter((parameter) => parameter.in === 'path');
      expect(declared.map(({ name }) => name).sort()).toEqual(named.sort());
      expect(declared.every(({ required }) => required)).toBe(true);
    }
  });

  it('refers to schemas that are there, and holds none that nobody refers to', () => {
    const referred = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name,
    );
    expect([...new Set(referred)].sort()).toEqual(Object.keys(document.components.schemas).sort());
  });

  it('promises a problem document for every error, and a token but for health and webhooks', () => {
    for (const { responses, path, security } of operations()) {
      for (const status of ['4XX', '5XX']) {
        expect(responses[status]?.content).toHaveProperty(['application/problem+json']);
      }
      expect([path, security]).toEqual([path, /^\/v1\/(?!chat|webhooks)/.test(path) ? undefined : []]);
    }
    expect(document.security).toEqual([{ token: [] }]);
  });

  it('is served without a token, and reports what is not reachable as a problem', async () => {
    expect((await app.inject('/healthz')).statusCode).toBe(200);
    const ready = await app.inject('/readyz');
    expect(ready.statusCode).toBe(503);
    expect(ready.headers['retry-after']).toBe('2');
    expect(ready.json()).toMatchObject({ code: 'SystemUnavailable' });
  }, 20_000);
});
