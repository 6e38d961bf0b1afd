/**
 * How soon a change by hand is seen: from the answer of Marathon or Consul to it until the API names it, on the local
 * platform, in a lane that nothing is released to, while clients come through the balancer.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { quantile } from './cell/quantile.ts';
import { onStage, type Stage } from './rollback/stage.ts';
import { atLeast, atMost, type Figure, observed } from './runner/figure.ts';

const ROUNDS = 10;
/** What docs/operations.md promises, ms. */
const BAR_MS = 30_000;
const GIVEN_UP_MS = 120_000;
const PAUSE_MS = 100;
const TIMEOUT_MS = 10_000;
const SERVICE = '/prod/sample';

/** A change that a person makes, and what puts it right. */
interface ByHand {
  readonly kind: string;
  make(): Promise<void>;
  putRight(): Promise<void>;
}

export default async function drift(): Promise<readonly Figure[]> {
  return onStage(async (stage) => {
    const hands = [await inMarathon(stage), await inConsul(stage)];
    const seen = new Map<string, number[]>();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { kind, make, putRight } of hands) {
        await make();
        const ms = await until(stage, `${kind} to be named`, (kinds) => kinds.includes(kind));
        seen.set(kind, [...(seen.get(kind) ?? []), ms]);
        await putRight();
        await until(stage, 'nothing to differ', (kinds) => kinds.length === 0);
      }
    }
    const all = [...seen.values()].flat();
    return [
      atLeast('changes by hand', all.length, '', hands.length * ROUNDS),
      ...[...seen].map(([kind, times]) => observed(`${kind}: change to its name, p50`, quantile(times, 0.5), 'ms')),
      atMost('change to its name, worst', Math.max(...all), 'ms', BAR_MS),
    ];
  });
}

/** @returns after how many ms it was so */
async function until({ lane }: Stage, what: string, isSo: (kinds: readonly string[]) => boolean): Promise<number> {
  const since = performance.now();
  for (;;) {
    const kinds = (await lane()).drift?.differences.map(({ kind }) => kind) ?? [];
    const ms = Math.round(performance.now() - since);
    if (isSo(kinds)) return ms;
    if (ms > GIVEN_UP_MS) throw new Error(`${what}: not within ${GIVEN_UP_MS} ms; it is ${JSON.stringify(kinds)}`);
    await sleep(PAUSE_MS);
  }
}

/** One instance more than there should be. */
async function inMarathon({ platform, revisions }: Stage): Promise<ByHand> {
  const [revision] = await revisions();
  const app = `${platform.urls.marathon}/v2/apps/${SERVICE}/${revision?.name}`;
  const { instances } = z.object({ app: z.object({ instances: z.int() }) }).parse(JSON.parse(await call(app))).app;
  const scale = async (to: number): Promise<void> => {
    await call(`${app}?force=true`, { method: 'PUT', body: JSON.stringify({ instances: to }) });
  };
  return { kind: 'scaled', make: () => scale(instances + 1), putRight: () => scale(instances) };
}

/** A share of the traffic for a revision that is not there. */
async function inConsul({ platform }: Stage): Promise<ByHand> {
  const key = `${platform.systems.consul.url}/v1/kv/slipway/traffic${SERVICE}`;
  const is = await call(`${key}?raw=true`);
  const { shares, ...rest } = z.looseObject({ shares: z.record(z.string(), z.number()) }).parse(JSON.parse(is));
  const put = async (body: string): Promise<void> => {
    await call(key, { method: 'PUT', body });
  };
  return {
    kind: 'traffic',
    make: () => put(JSON.stringify({ ...rest, shares: { ...shares, r999: 1 } })),
    putRight: () => put(is),
  };
}

/** @throws {Error} with what it answered, if that is no success */
async function call(url: string, init: RequestInit = {}): Promise<string> {
  const answer = await fetch(url, {
    headers: { 'Content-Type': 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...init,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${init.method ?? 'GET'} ${url}: ${answer.status} ${text}`);
  return text;
}
