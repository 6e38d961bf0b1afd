import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { z } from 'zod';
import { releaseSchema } from '../../../domain/schemas/release.ts';
import { type ApiRig, TOKENS } from './rig.ts';

/** The fields of answers that tests look at. */
const answerSchema = z.looseObject({
  id: z.string().optional(),
  location: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
  requestedBy: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
  lanes: z.array(z.object({ state: z.object({ environment: z.string() }) })).default([]),
});

interface Call {
  readonly as?: keyof typeof TOKENS | 'nobody';
  readonly key?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** What tests of releases ask of an API. @param rig the one that is asked, once it runs */
export function releaseCalls(rig: () => ApiRig) {
  async function call(method: 'GET' | 'POST', path: string, { as = 'ann', key, body, headers = {} }: Call = {}) {
    const response = await fetch(`${rig().url}${path}`, {
      method,
      headers: {
        ...(as === 'nobody' ? {} : { authorization: `Bearer ${TOKENS[as]}` }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.json();
    return { status: response.status, headers: response.headers, text, body: answerSchema.parse(text) };
  }

  /** A release that waits for approval; its path under /v1. */
  async function startRelease(ref = 'main'): Promise<{ key: string; path: string }> {
    const key = randomUUID();
    const { status } = await call('POST', '/v1/releases', { key, body: { service: 'sample', ref } });
    expect(status).toBe(202);
    return { key, path: `/v1/releases/sample/${key}` };
  }

  async function ended(path: string) {
    const deadline = performance.now() + 45_000;
    for (;;) {
      const answer = await call('GET', path);
      expect(answer).toMatchObject({ status: 200 });
      const view = releaseSchema.parse(answer.body);
      if (view.outcome !== undefined) return view;
      if (performance.now() > deadline) throw new Error(`${path} has not ended after 45 s`);
      await sleep(100);
    }
  }

  return { call, ended, startRelease };
}
