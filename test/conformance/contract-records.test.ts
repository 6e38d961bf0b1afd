import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { NO_SHARED, SHARED } from '../shared.ts';
import { marathonContract } from './contract/contract.ts';
import { DEVIATIONS, RELEASES, type Release, unexcused } from './contract/deviations.ts';
import { AFTER_1_5, legacyAppBreaches } from './contract/legacy-app-schema.ts';

/**
 * Holds the answers and events that real Marathons gave to their own published types: it proves the validator by the
 * original, and each line of the list of deviations by a record of every release it names.
 */

const bodySchema = z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]);
const stepSchema = z.looseObject({
  request: z.looseObject({ method: z.string(), path: z.string() }),
  response: z.looseObject({ status: z.number(), body: bodySchema }),
});
const eventSchema = z.looseObject({ data: z.looseObject({ eventType: z.string() }) });

/** The cell has no pods; the list of loggers is nobody's contract. */
const OUT_OF_SCOPE = /^\/(v2\/pods|logging)|^pod_/;

/** Everything of a record that may be a step or an event, however the file nests them. */
function entries(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(entries) : [];
}

function recordsOf(release: Release): readonly unknown[] {
  const contracts = join(SHARED ?? '', 'contracts/marathon');
  const load = (folder: string) =>
    readdirSync(join(contracts, folder))
      .filter((name) => name.endsWith('.json'))
      .map((name): unknown => JSON.parse(readFileSync(join(contracts, folder, name), 'utf8')));
  if (release === '1.7.236' || release === '1.8.244') return load(`recorded-${release}`).flatMap(entries);
  return load('golden')
    .filter((file) => z.looseObject({ marathon: z.string() }).parse(file).marathon === release)
    .flatMap(entries);
}

const contract = marathonContract();
const suite = contract ? describe : describe.skip;

suite(contract ? 'what real Marathons said' : NO_SHARED, () => {
  const breachesOf = (release: Release): ReadonlyMap<string, number> => {
    const breaches = new Map<string, number>();
    let answers = 0;
    for (const entry of recordsOf(release)) {
      const step = stepSchema.safeParse(entry).data;
      const event = eventSchema.safeParse(entry).data?.data;
      const name = step?.request.path ?? event?.eventType;
      if (name === undefined || OUT_OF_SCOPE.test(name)) continue;
      answers += 1;
      const found = step
        ? contract?.answer({ ...step.request, status: step.response.status }, step.response.body)
        : event && contract?.event(event);
      for (const breach of found ?? []) breaches.set(breach, (breaches.get(breach) ?? 0) + 1);
    }
    expect(answers).toBeGreaterThan(50);
    return breaches;
  };

  it.each(RELEASES)('fits its types but for the listed deviations: %s', (release) => {
    const breaches = [...breachesOf(release).keys()];
    expect(unexcused(breaches, release)).toEqual([]);
    const listed = DEVIATIONS.filter(({ releases }) => releases.includes(release)).map(({ breach }) => breach);
    expect(breaches.toSorted()).toEqual(listed.toSorted());
  });

  it('fits the last JSON schema of apps but for what came after it: 1.7.236', () => {
    const stored = recordsOf('1.7.236').flatMap(
      (entry) => eventSchema.safeParse(entry).data?.data['appDefinition'] ?? [],
    );
    const read = recordsOf('1.7.236').flatMap((entry) => {
      const step = stepSchema.safeParse(entry).data;
      return step && /versions\/2/.test(step.request.path) && step.response.status === 200 ? [step.response.body] : [];
    });
    const apps = z.array(z.looseObject({ id: z.string() })).parse([...stored, ...read]);
    expect(apps.length).toBeGreaterThan(5);
    expect(AFTER_1_5).toEqual(expect.arrayContaining([...legacyAppBreaches(apps)]));
    expect(legacyAppBreaches([{ id: '/a', cmd: 'x', uptime: 1 }])).toEqual([': does not know uptime']);
  });

  it('is told from what does not fit', () => {
    const app = { id: '/a', cpus: 1 };
    expect(contract?.breaches('app.App', app)).toEqual([]);
    expect(contract?.breaches('app.App', { ...app, cpus: 'x', uptime: 1 })).toEqual([
      'app.App: does not know uptime',
      'app.App/cpus: must be number',
    ]);
    expect(contract?.breaches('app.App', { cpus: 1, constraints: [['a']], version: 'now' })).toEqual([
      'app.App: lacks id',
      'constraint.AppConstraint: must NOT have fewer than 2 items',
      'app.App/version: must match format "datetime"',
    ]);
    expect(contract?.breaches('app.App', { ...app, unreachableStrategy: 3 })).toEqual([
      'unreachableStrategy.UnreachableStrategy: must match a schema in anyOf',
    ]);
    expect(contract?.answer({ method: 'GET', path: '/v2/news', status: 200 }, {})).toEqual([
      'GET /v2/news: has no type',
    ]);
    expect(contract?.event({ eventType: 'news', timestamp: '2026-01-01T00:00:00.000Z' })).toEqual([
      'events.news: has no type',
    ]);
  });
});
