/** Vetoes as they go over HTTP. */
import { z } from 'zod';
import type { Veto } from '../veto.ts';

export const vetoSchema: z.ZodType<Veto> = z
  .object({
    bundle: z.string().meta({ description: 'Id of the bundle that may not come again.' }),
    version: z.string(),
    release: z.string().meta({ description: 'The release, or the rollback after its end, that went back.' }),
    reason: z.string(),
    at: z.iso.datetime({ offset: true }),
  } satisfies Record<keyof Veto, z.ZodType>)
  .meta({ id: 'Veto', description: 'A bundle was rolled back, and does not come again until somebody lifts this.' });

export const vetoListSchema = z
  .object({
    vetoes: z.array(z.object({ environment: z.string(), service: z.string(), veto: vetoSchema })),
  })
  .meta({ id: 'VetoList', description: 'Vetoes that hold, by service and environment.' });

export type VetoList = z.output<typeof vetoListSchema>;

/** As an id of a bundle is written. */
export const bundleIdSchema = z.string().regex(/^b-[0-9a-f]{16}$/, 'write b- and 16 hex digits');
