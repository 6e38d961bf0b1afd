/** What people say to releases under way, as it goes over HTTP. */
import { z } from 'zod';
import { commandSchema, digestSchema } from './release.ts';

const reason = z.string().trim().min(1, 'write why').max(1000);

export const controlOrderSchema = z
  .strictObject({
    reason,
    step: z
      .string()
      .min(1)
      .max(200)
      .exactOptional()
      .meta({ description: 'The step that was looked at; by default the one under way.' }),
    planDigest: digestSchema.exactOptional().meta({ description: 'Refused when it is another plan by now.' }),
  })
  .meta({ id: 'ControlOrder', description: 'Why, and what was looked at.' });

export const controlAnswerSchema = z
  .object({
    command: commandSchema,
    missing: z
      .int()
      .nonnegative()
      .meta({ description: 'How many more people must say so; 0 when it has taken effect.' }),
  })
  .meta({ id: 'ControlAnswer', description: 'The word, as it is recorded.' });
