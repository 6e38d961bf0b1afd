import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { GoldenRecord, GoldenStep } from './golden-record.ts';

/**
 * Records of real Marathons 1.7.236 and 1.8.244: requests with their answers, and what came on the event stream
 * meanwhile. One agent (`env:fat;rack:r1;num:3.5`, 4 cpus), default flags. Times are those of answers.
 */

/** A request was on its way for about so long before its answer. */
const ANSWERED_WITHIN_MS = 45;

const step = z.object({
  t: z.number(),
  note: z.string(),
  request: z.object({
    method: z.string(),
    path: z.string(),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.unknown().optional(),
  }),
  response: z.object({
    status: z.number(),
    headers: z.record(z.string(), z.string()),
    body: z.unknown().optional(),
  }),
});
const event = z.object({ t: z.number(), event: z.string(), data: z.record(z.string(), z.unknown()) });

export type RecordedEvent = z.infer<typeof event>;

/** Steps of a file, such as `scenarios-1.7.236`, each named by its note. */
export function recordedSteps(name: string): readonly GoldenStep[] {
  return z.array(step).parse(read(name));
}

/** Events of a file, or of one of its parts. */
export function recordedEvents(name: string, part?: string): readonly RecordedEvent[] {
  return z.array(event).parse(part === undefined ? read(name) : recordedPart(name, part));
}

/** A part of a file that is an object of parts. */
export function recordedPart(name: string, part: string): unknown {
  return z.record(z.string(), z.unknown()).parse(read(name))[part];
}

/** A record to play, of steps and the events that came meanwhile. */
export function recordOf(
  scenario: string,
  steps: readonly GoldenStep[],
  events: readonly RecordedEvent[] = [],
): GoldenRecord {
  let before = 0;
  const asked = steps.map((one) => {
    const t = Math.max(before, one.t - ANSWERED_WITHIN_MS);
    before = one.t;
    return { ...one, t };
  });
  return { scenario, marathon: '1.7.236', description: '', steps: asked, samples: [], events: [...events] };
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, `${name}.json`), 'utf8'));
}
