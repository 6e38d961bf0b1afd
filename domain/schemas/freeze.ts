/** Freezes as they go over HTTP. */
import { z } from 'zod';
import type { Freeze, FreezeScope } from '../freeze.ts';

const reason = z.string().trim().min(1, 'write why').max(1000);
const timestamp = z.iso.datetime({ offset: true });
const name = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, 'write lower-case letters, digits and inner hyphens');

const scopeSchema: z.ZodType<FreezeScope> = z.strictObject({
  environment: name.exactOptional().meta({ description: 'Absent for every environment.' }),
  service: name.exactOptional().meta({ description: 'Absent for every service.' }),
} satisfies Record<keyof FreezeScope, z.ZodType>);

export const freezeSchema: z.ZodType<Freeze> = z
  .object({
    id: z.string(),
    scope: scopeSchema,
    by: z.string(),
    reason: z.string(),
    at: timestamp,
    until: timestamp.exactOptional(),
  } satisfies Record<keyof Freeze, z.ZodType>)
  .meta({ id: 'Freeze', description: 'A stop for forward moves; never for a way back.' });

export const freezeListSchema = z
  .object({ freezes: z.array(freezeSchema) })
  .meta({ id: 'FreezeList', description: 'The freezes that hold, in the order in which they came.' });

export const freezeOrderSchema = z
  .strictObject({
    scope: scopeSchema.meta({ description: 'What is frozen; {} for everything.' }),
    reason,
    until: timestamp.exactOptional().meta({ description: 'When it is over by itself; by default when it is lifted.' }),
  })
  .meta({ id: 'FreezeOrder', description: 'What to freeze, and why.' });

export type FreezeOrder = z.output<typeof freezeOrderSchema>;

export const freezePathSchema = z.object({ id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'write the id of a freeze') });
