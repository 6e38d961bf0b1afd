import { z } from 'zod';
import { problemSchema, releaseKeySchema } from '../../domain/schemas/api.ts';

/** An answer in JSON, as a route declares it. */
export function answer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}

const problem = {
  description: 'A problem document (RFC 9457).',
  content: { 'application/problem+json': { schema: problemSchema } },
};

/** What every route may answer besides what it promises; spread into its responses. */
export const PROBLEMS = { '4xx': problem, '5xx': problem };

/** Optional for commands: without it each request is a click of its own. */
export const clickHeaders = z.object({
  'idempotency-key': releaseKeySchema
    .exactOptional()
    .meta({ description: 'Names the click: sent again it counts once.' }),
});
