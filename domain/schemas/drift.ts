import { z } from 'zod';
import type { Difference } from '../drift.ts';
import type { DriftView, NamedDifference } from '../drift-sentences.ts';

const kinds = [
  'scaled',
  'deleted',
  'edited',
  'unknown-app',
  'traffic',
  'traffic-deleted',
  'server-weights',
  'config',
  'bounds',
] as const satisfies readonly Difference['kind'][];

const differenceSchema: z.ZodType<NamedDifference> = z.object({
  kind: z.enum(kinds),
  sentence: z.string().meta({ description: 'What was changed, in English.' }),
  sentenceZh: z.string().meta({ description: 'The same in Chinese.' }),
} satisfies Record<keyof NamedDifference, z.ZodType>);

export const driftSchema: z.ZodType<DriftView> = z
  .object({
    since: z.iso.datetime({ offset: true }).meta({ description: 'When it was seen first.' }),
    environment: z.string(),
    differences: z.array(differenceSchema),
    resolution: z.string().exactOptional().meta({ description: 'What is done about it now, or came of the last try.' }),
  } satisfies Record<keyof DriftView, z.ZodType>)
  .meta({ id: 'Drift', description: 'What was changed by hand, and waits to be adopted or reverted.' });
