import { Readable } from 'node:stream';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { releasePathSchema } from '../../domain/schemas/api.ts';
import { asProblem, preferredLanguage, problemDocument } from '../problem.ts';
import { releaseEvents } from '../release-events.ts';
import type { Releases } from '../releases.ts';
import { PROBLEMS } from './answers.ts';

/** A stream is sent as it is; in the document it is text. */
const streamSchema = z.custom<Readable>((value) => value instanceof Readable).meta({ type: 'string' });

const eventHeaders = z.object({
  'last-event-id': z.string().max(20).exactOptional().meta({
    description: 'Number of the last event seen; the numbers go on from there.',
  }),
});

/** The live state of a release. */
export const releaseEventRoutes: FastifyPluginCallbackZod<{ readonly releases: Releases }> = (
  app,
  { releases },
  done,
) => {
  const closing = new AbortController();
  // A stream lasts as long as its release; the server must not wait for it.
  app.addHook('preClose', (finished) => {
    closing.abort();
    finished();
  });

  app.get(
    '/v1/releases/:service/:key/events',
    {
      schema: {
        tags: ['releases'],
        operationId: 'watchRelease',
        summary: 'The life of a release as server-sent events',
        description:
          'Events `release` (the whole state, whenever it has changed), `problem` (it can not be read for now) and, last, `end`.',
        params: releasePathSchema,
        headers: eventHeaders,
        response: {
          200: { description: 'A stream of events.', content: { 'text/event-stream': { schema: streamSchema } } },
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      // A release that is not there is a problem document, not a stream.
      await releases.view(request.params);
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const events = releaseEvents({
        look: () => releases.view(request.params),
        problem: (error) => {
          request.log.warn({ err: error, ...request.params }, 'a release could not be read for its watcher');
          return problemDocument(asProblem(error), {
            path: request.url,
            id: request.id,
            language: preferredLanguage(request.headers['accept-language']),
          });
        },
        lastEventId: eventNumber(request.headers['last-event-id']),
        signal: AbortSignal.any([gone.signal, closing.signal]),
      });
      return reply
        .code(200)
        .header('content-type', 'text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(Readable.from(events));
    },
  );

  done();
};

function eventNumber(lastEventId: string | undefined): number {
  return /^[0-9]{1,15}$/.test(lastEventId ?? '') ? Number(lastEventId) : 0;
}
