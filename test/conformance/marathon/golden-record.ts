import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { RELEASES } from '../contract/deviations.ts';

/** One record of a real Marathon: `golden/README.md` says how they came about. */

const headerText = z.union([z.string(), z.array(z.string()).transform((values) => values.join(', '))]);

const request = z.object({
  method: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional(),
});

const step = z.object({
  /** Milliseconds from the start. */
  t: z.number(),
  /** How long the answer took. */
  ms: z.number().optional(),
  note: z.string().optional(),
  request: request.optional(),
  response: z
    .object({ status: z.number(), headers: z.record(z.string(), headerText), body: z.unknown().optional() })
    .optional(),
});

const sample = z.strictObject({
  t: z.number(),
  app: z.string(),
  appVersion: z.string(),
  instances: z.number(),
  staged: z.number(),
  running: z.number(),
  healthy: z.number(),
  unhealthy: z.number(),
  deployments: z.number(),
  tasksByVersion: z.record(z.string(), z.record(z.string(), z.number())),
});

const goldenRecord = z.looseObject({
  scenario: z.string(),
  /** The release that was recorded. */
  marathon: z.enum(RELEASES),
  description: z.string(),
  startedAt: z.iso.datetime().optional(),
  steps: z.array(step),
  samples: z.array(sample).default([]),
  events: z.array(z.object({ t: z.number(), event: z.string(), data: z.record(z.string(), z.unknown()) })).default([]),
});

export type GoldenStep = z.infer<typeof step>;
export type GoldenRecord = z.infer<typeof goldenRecord>;

const versionList = z.strictObject({ versions: z.array(z.string()) });

/** @param name such as `app-create-minimal` */
export function goldenNamed(name: string): GoldenRecord {
  const path = join(import.meta.dirname, 'golden', `${name}.json`);
  const file: { readonly events?: readonly { readonly data: unknown }[] } = JSON.parse(readFileSync(path, 'utf8'));
  // Between them are remarks of the recorder, which have no data.
  const events = (file.events ?? []).filter(({ data }) => data !== null);
  const record = goldenRecord.parse({ ...file, events });
  const told = JSON.stringify(record);
  const { startedAt = '' } = record;
  const isFormer = (version: string) => version < startedAt && !told.includes(`"version":"${version}"`);
  return { ...record, steps: record.steps.map((one) => withoutFormer(withUsualHeaders(one), isFormer)) };
}

/** The recorded Marathon knew versions from the scenarios that it had played before, under the same ids. */
function withoutFormer(one: GoldenStep, isFormer: (version: string) => boolean): GoldenStep {
  const { response } = one;
  const listed = versionList.safeParse(response?.body);
  if (!response || !listed.success) return one;
  return {
    ...one,
    response: { ...response, body: { versions: listed.data.versions.filter((each) => !isFormer(each)) } },
  };
}

/** Headers that every answer had, and that the files leave out. */
function withUsualHeaders(one: GoldenStep): GoldenStep {
  const { request: asked, response } = one;
  // The 414 lacks them all, and so does the redirection of events.
  if (!asked || !response || response.status === 414) return one;
  const usual = {
    'X-Marathon-Leader': 'http://127.0.0.1:23080',
    'X-Frame-Options': 'DENY',
    'X-XSS-Protection': '1; mode=block',
    Pragma: 'no-cache',
    Expires: '0',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    ...(asked.method === 'GET' && response.status === 200 ? { Vary: 'Accept-Encoding, User-Agent' } : {}),
  };
  return { ...one, response: { ...response, headers: { ...usual, ...response.headers } } };
}
