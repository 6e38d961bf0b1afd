/** Services, bundles and vetoes in the ledger, on both kinds of database. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { createLedgerActivities, type LedgerActivities } from '../../activities/ledger/activities.ts';
import { type Ledger, type LedgerPlace, openLedger } from '../../activities/ledger/client.ts';
import { bundleOf } from '../../domain/bundle.ts';
import type { LedgerEntries, LedgerEntry } from '../../domain/ledger.ts';
import type { Veto } from '../../domain/veto.ts';
import { LEDGER_KINDS } from './ledger-rig.ts';

jest.setTimeout(180_000);

const AT = '2026-01-02T03:04:05.678Z';
const LATER = '2026-01-02T04:00:00.000Z';
const RELEASE = 'release/sample/2';
const LANE = 'lane/prod/sample';
const BUNDLE = bundleOf({
  service: 'sample',
  version: '2.0.0',
  commit: 'c'.repeat(40),
  image: { repository: 'sample', digest: `sha256:${'a'.repeat(64)}` },
  testImages: { contract: { repository: 'sample-contract', digest: `sha256:${'b'.repeat(64)}` } },
  configVersion: 3,
  manifestDigest: 'sha256:m',
});
const VETO: Veto = { bundle: BUNDLE.id, version: '2.0.0', release: RELEASE, reason: 'errors \0', at: AT };
const BEGUN: LedgerEntry = { kind: 'begun', at: AT, by: 'ann', request: {} };
const BUNDLED: LedgerEntry = { kind: 'bundle', at: AT, bundle: BUNDLE };
const VETOED: LedgerEntry = { kind: 'vetoed', at: AT, environment: 'prod', veto: VETO };
const LIFTED: LedgerEntry = {
  kind: 'veto-lifted',
  at: LATER,
  environment: 'prod',
  veto: VETO,
  by: 'bob',
  reason: 'it was the database',
};
const told = (entries: readonly LedgerEntry[], over: Partial<LedgerEntries> = {}): LedgerEntries => ({
  teller: RELEASE,
  service: 'sample',
  run: 'run-1',
  first: 1,
  entries,
  ...over,
});
const byLane = (entries: readonly LedgerEntry[]) => told(entries, { teller: LANE, run: 'run-lane' });

describe.each(LEDGER_KINDS)('a ledger on $name', (kind) => {
  let place: LedgerPlace;
  let ledger: Ledger;
  let activities: LedgerActivities;
  const rows = (statement: string): Promise<readonly Record<string, unknown>[]> =>
    ledger.use(async (db) => (await sql<Record<string, unknown>>`${sql.raw(statement)}`.execute(db)).rows);

  beforeAll(() => kind.setUp(), 180_000);
  beforeEach(async () => {
    place = await kind.newPlace();
    ledger = openLedger(place, () => {});
    activities = createLedgerActivities(ledger);
  });
  afterEach(() => ledger.close());
  afterAll(() => kind.tearDown(), 90_000);

  it('knows a service from the first word of it, and a bundle by its content', async () => {
    await activities.writeLedger(told([BEGUN, BUNDLED]));
    await activities.writeLedger(told([{ ...BUNDLED, at: LATER }], { teller: 'release/sample/3' }));
    expect(await rows('select * from services')).toEqual([{ name: 'sample', known_since: new Date(AT) }]);
    expect(await rows('select * from bundles')).toEqual([
      {
        id: BUNDLE.id,
        service: 'sample',
        version: '2.0.0',
        commit: BUNDLE.commit,
        image_repository: 'sample',
        image_digest: BUNDLE.image.digest,
        test_images: BUNDLE.testImages,
        config_version: 3,
        manifest_digest: 'sha256:m',
        release: RELEASE,
        known_since: new Date(AT),
      },
    ]);
  });

  const whole = [
    {
      environment: 'prod',
      bundle: BUNDLE.id,
      release: RELEASE,
      service: 'sample',
      version: '2.0.0',
      reason: 'errors \ufffd',
      placed_at: new Date(AT),
      lifted_by: 'bob',
      lifted_at: new Date(LATER),
      lift_reason: 'it was the database',
    },
  ];

  it('keeps who was vetoed and who lifted it, whichever is told first and however often', async () => {
    await activities.writeLedger(told([BEGUN, VETOED]));
    expect(await rows('select lifted_by, lifted_at from vetoes')).toEqual([{ lifted_by: null, lifted_at: null }]);
    await activities.writeLedger(byLane([LIFTED]));
    const head = await activities.writeLedger(byLane([LIFTED]));
    expect(await activities.writeLedger(told([BEGUN, VETOED]))).toEqual(head);
    expect(await rows('select * from vetoes')).toEqual(whole);
    expect(await rows('select actor, action, subject from audit order by number')).toEqual([
      { actor: 'ann', action: 'begun', subject: RELEASE },
      { actor: 'slipway', action: 'vetoed', subject: RELEASE },
      { actor: 'bob', action: 'veto-lifted', subject: LANE },
    ]);
    // A lane is no release.
    expect(await rows('select id from releases')).toEqual([{ id: RELEASE }]);
    expect(await activities.verifyAudit()).toEqual({ rows: 3, hash: head.hash });
  });

  it('comes to the same when the lane tells first', async () => {
    await activities.writeLedger(byLane([LIFTED]));
    await activities.writeLedger(told([BEGUN, VETOED]));
    expect(await rows('select * from vetoes')).toEqual(whole);
  });

  it('keeps each of two releases that took the same bundle back', async () => {
    const again: LedgerEntry = {
      kind: 'vetoed',
      at: LATER,
      environment: 'prod',
      veto: { ...VETO, release: 'release/sample/4' },
    };
    await activities.writeLedger(told([VETOED]));
    await activities.writeLedger(byLane([LIFTED]));
    await activities.writeLedger(told([again], { teller: 'release/sample/4' }));
    expect(await rows('select release, lifted_by from vetoes order by release')).toEqual([
      { release: RELEASE, lifted_by: 'bob' },
      { release: 'release/sample/4', lifted_by: null },
    ]);
  });
});
