import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { FailureType } from '../../domain/failures.ts';
import { signMessage } from '../../domain/standard-webhooks.ts';
import { asProblem, Problem } from '../problem.ts';
import { type ChatRoutesOptions, chatRoutes } from './chat.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NOW = 1_800_000_000;

describe('a chat message that could not be worked on', () => {
  let app: FastifyInstance;
  let failures: Problem[];

  beforeEach(async () => {
    failures = [];
    const fails = () => Promise.reject(failures.shift() ?? new Problem(FailureType.ReleaseOver, 'it has ended'));
    const releases: ChatRoutesOptions['releases'] = {
      view: fails,
      approve: fails,
      reject: fails,
      abort: fails,
      rollback: fails,
      control: fails,
    };
    const freezes: ChatRoutesOptions['freezes'] = { list: fails, freeze: fails, unfreeze: fails, scopeOf: () => ({}) };
    const vetoes: ChatRoutesOptions['vetoes'] = { list: fails, lift: fails };
    const drifts: ChatRoutesOptions['drifts'] = { resolve: fails };
    app = fastify();
    app.setValidatorCompiler(validatorCompiler);
    app.setSerializerCompiler(serializerCompiler);
    app.setErrorHandler((error, _request, reply) => reply.code(asProblem(error).status).send(asProblem(error).code));
    await app.register(chatRoutes, { inbound: { secret }, freezes, releases, vetoes, drifts, nowSeconds: () => NOW });
  });
  afterEach(() => app.close());

  const post = () => {
    const body = Buffer.from(JSON.stringify({ text: 'abort sample/k1 why', user: 'bob' }));
    const message = { id: 'msg_1', timestamp: String(NOW), body };
    return app.inject({
      method: 'POST',
      url: '/v1/chat',
      headers: {
        'content-type': 'application/json',
        'webhook-id': message.id,
        'webhook-timestamp': message.timestamp,
        'webhook-signature': signMessage(secret, message),
      },
      payload: body,
    });
  };

  it('may be sent again while the fault is ours, and not once it was answered', async () => {
    failures.push(new Problem(FailureType.SystemUnavailable, 'Temporal is away'));
    expect((await post()).statusCode).toBe(503);
    const answered = await post();
    expect([answered.statusCode, answered.json()]).toEqual([
      200,
      { ok: false, code: 'ReleaseOver', text: 'The release has ended: it has ended (ReleaseOver)' },
    ]);
    expect((await post()).statusCode).toBe(401);
  });

  it('stays claimed when it is refused, whoever sends it', async () => {
    expect((await post()).statusCode).toBe(200);
    // A replay that is refused must not free the id for the next one.
    expect((await post()).statusCode).toBe(401);
    expect((await post()).statusCode).toBe(401);
  });
});
