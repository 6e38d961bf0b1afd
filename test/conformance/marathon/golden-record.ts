import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { RELEASES } from '../contract/deviations.ts';

/** One record of a real Marathon: `golden/README.md` says how they came about. */

const request = z.object({
  method: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional(),
});

const step = z.object({
  /** Milliseconds from the start. */
  t: z.number(),
  note: z.string().optional(),
  request: request.optional(),
  response: z
    .object({ status: z.number(), headers: z.record(z.string(), z.string()), body: z.unknown().optional() })
    .optional(),
});

const sample = z.looseObject({
  t: z.number(),
  app: z.string(),
  appVersion: z.string(),
  tasksByVersion: z.record(z.string(), z.record(z.string(), z.number())),
});

const goldenRecord = z.looseObject({
  scenario: z.string(),
  /** The release that was recorded. */
  marathon: z.enum(RELEASES),
  description: z.string(),
  steps: z.array(step),
  samples: z.array(sample).default([]),
  events: z.array(z.object({ t: z.number(), event: z.string(), data: z.record(z.string(), z.unknown()) })).default([]),
});

export type GoldenStep = z.infer<typeof step>;
export type GoldenRecord = z.infer<typeof goldenRecord>;

/** @param name such as `app-create-minimal` */
export function goldenNamed(name: string): GoldenRecord {
  return goldenRecord.parse(JSON.parse(readFileSync(join(import.meta.dirname, 'golden', `${name}.json`), 'utf8')));
}
