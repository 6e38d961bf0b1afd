import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { createLedgerActivities, type LedgerActivities } from '../../activities/ledger/activities.ts';
import { type Ledger, type LedgerPlace, openLedger } from '../../activities/ledger/client.ts';
import type { FreezeEntry, LedgerEntries, LedgerEntry } from '../../domain/ledger.ts';
import { ledgerChecks } from '../../workers/doctor/ledger-checks.ts';
import { startPostgres } from '../postgres-server.ts';
import { LEDGER_KINDS, program } from './ledger-rig.ts';

jest.setTimeout(180_000);

const AT = '2026-01-02T03:04:05.678Z';
const RELEASE = 'release/sample/1';
const BEGUN: LedgerEntry = { kind: 'begun', at: AT, by: 'ann', request: { service: 'sample', ref: 'main' } };
const step = (outcome: 'running' | 'done', detail?: string): LedgerEntry => ({
  kind: 'step',
  at: AT,
  step: {
    id: 'deploy-fat',
    kind: 'deploy',
    environment: 'fat',
    outcome,
    startedAt: AT,
    ...(detail === undefined ? {} : { endedAt: AT, detail }),
  },
});
const told = (entries: readonly LedgerEntry[], over: Partial<LedgerEntries> = {}): LedgerEntries => ({
  teller: RELEASE,
  service: 'sample',
  run: 'run-1',
  first: 1,
  entries,
  ...over,
});

describe.each(LEDGER_KINDS)('a ledger on $name', (kind) => {
  let place: LedgerPlace;
  let ledger: Ledger;
  let activities: LedgerActivities;
  const opened: Ledger[] = [];

  const open = (): Ledger => {
    const another = openLedger(place, () => {});
    opened.push(another);
    return another;
  };
  const rows = (statement: string): Promise<readonly Record<string, unknown>[]> =>
    ledger.use(async (db) => (await sql<Record<string, unknown>>`${sql.raw(statement)}`.execute(db)).rows);
  /** As the owner of the database could: without the triggers. */
  const tamper = async (statement: string): Promise<void> => {
    await rows('alter table audit disable trigger all');
    await rows('alter table audit_head disable trigger all');
    await rows(statement);
    await rows('alter table audit enable trigger all');
    await rows('alter table audit_head enable trigger all');
  };

  beforeAll(() => kind.setUp(), 180_000);
  beforeEach(async () => {
    place = await kind.newPlace();
    ledger = open();
    activities = createLedgerActivities(ledger);
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
  });
  afterAll(() => kind.tearDown(), 90_000);

  it('makes its tables from nothing, once', async () => {
    expect(await activities.verifyAudit()).toMatchObject({ rows: 0 });
    const made = await rows('select name from ledger_migration');
    expect(made.map(({ name }) => name)).toEqual([
      '001-releases-and-audit',
      '002-services-bundles-vetoes',
      '003-freezes-and-approved-steps',
      '004-judges',
    ]);
    await activities.writeLedger(told([BEGUN]));
    await ledger.close();
    opened.splice(0);
    ledger = open();
    expect(await createLedgerActivities(ledger).verifyAudit()).toMatchObject({ rows: 1 });
    expect(await rows('select name from ledger_migration')).toEqual(made);
  });

  it('keeps what a release tells, each fact in its row', async () => {
    const verdict = { result: 'pass', judgeVersion: 3 };
    const inputs = { z: 0.1 + 0.2, a: [1e-300, -0.5], nul: '\0' };
    await activities.writeLedger(
      told([
        BEGUN,
        { kind: 'planned', at: AT, digest: 'sha256:p', plan: { steps: [] } },
        step('running'),
        step('done', 'r1 serves'),
        { kind: 'approval', at: AT, approval: { by: 'bob', step: 'approve-prod', planDigest: 'sha256:p', at: AT } },
        { kind: 'verdict', at: AT, number: 1, step: 'judge-prod', judge: 'errors', verdict, inputs },
        { kind: 'stopped', at: AT, by: 'ann', type: 'Aborted', reason: 'no' },
        { kind: 'rollback', at: AT, rollback: { environment: 'prod', reason: 'no', decidedAt: AT, doneAt: AT } },
        { kind: 'ended', at: AT, outcome: 'aborted', failure: { type: 'Aborted', message: 'ann: no' } },
      ]),
    );
    const at = new Date(AT);
    expect(await rows('select * from releases')).toEqual([
      {
        id: RELEASE,
        service: 'sample',
        requested_by: 'ann',
        request: { service: 'sample', ref: 'main' },
        begun_at: at,
        plan_digest: 'sha256:p',
        plan: { steps: [] },
        outcome: 'aborted',
        failure: { type: 'Aborted', message: 'ann: no' },
        ended_at: at,
      },
    ]);
    expect(await rows('select id, outcome, started_at, ended_at, detail from steps')).toEqual([
      { id: 'deploy-fat', outcome: 'done', started_at: at, ended_at: at, detail: 'r1 serves' },
    ]);
    expect(await rows('select step, by, plan_digest, given_at from approvals')).toEqual([
      { step: 'approve-prod', by: 'bob', plan_digest: 'sha256:p', given_at: at },
    ]);
    expect(await rows('select step, judge, inputs::text as text, verdict, inputs from verdicts')).toEqual([
      { step: 'judge-prod', judge: 'errors', text: JSON.stringify(inputs), verdict, inputs },
    ]);
    expect(await rows('select environment, reason, decided_at, traffic_at, done_at from rollbacks')).toEqual([
      { environment: 'prod', reason: 'no', decided_at: at, traffic_at: null, done_at: at },
    ]);
    const audit = await rows('select actor, action from audit order by number');
    expect(audit.map(({ actor, action }) => `${actor} ${action}`)).toEqual([
      'ann begun',
      'slipway planned',
      'slipway step',
      'slipway step',
      'bob approval',
      'judge verdict',
      'ann stopped',
      'slipway rollback',
      'slipway ended',
    ]);
    expect(await activities.verifyAudit()).toMatchObject({ rows: 9 });
  });

  it('keeps the approvals of one person at several steps, and what people said to a release', async () => {
    const approval = (name: string): LedgerEntry => ({
      kind: 'approval',
      at: AT,
      approval: { by: 'bob', step: name, planDigest: 'sha256:p', at: AT },
    });
    const command = { name: 'pause', by: 'cat', reason: 'lunch', at: AT } as const;
    await activities.writeLedger(
      told([BEGUN, approval('approve-prod-1'), approval('approve-prod-2'), { kind: 'command', at: AT, command }]),
    );
    expect(await rows('select step from approvals order by step')).toEqual([
      { step: 'approve-prod-1' },
      { step: 'approve-prod-2' },
    ]);
    const audit = await rows("select actor, detail from audit where action = 'command'");
    expect(audit).toEqual([{ actor: 'cat', detail: expect.stringContaining('"reason":"lunch"') }]);
  });

  it('keeps freezes from their beginning to their end, each fact once', async () => {
    const all = { kind: 'freeze', id: 'f1', scope: {}, by: 'ann', reason: 'an incident', at: AT } as const;
    const some: FreezeEntry = {
      kind: 'freeze',
      id: 'f2',
      scope: { environment: 'prod', service: 'sample' },
      by: 'bob',
      reason: 'a fair\0',
      at: AT,
      until: '2026-01-03T00:00:00.000Z',
    };
    const lifted = { kind: 'unfreeze', id: 'f1', by: 'bob', reason: 'mended', at: AT } as const;
    await activities.writeFreezes({ entries: [all, some] });
    const head = await activities.writeFreezes({ entries: [some, lifted] });
    expect(await activities.writeFreezes({ entries: [all, lifted] })).toEqual(head);
    const at = new Date(AT);
    expect(await rows('select * from freezes order by id')).toEqual([
      {
        ...{ id: 'f1', environment: null, service: null, by: 'ann', reason: 'an incident', begun_at: at, until: null },
        ...{ ended_by: 'bob', ended_reason: 'mended', ended_at: at },
      },
      {
        ...{ id: 'f2', environment: 'prod', service: 'sample', by: 'bob', reason: 'a fair\uFFFD', begun_at: at },
        ...{ until: new Date('2026-01-03T00:00:00Z'), ended_by: null, ended_reason: null, ended_at: null },
      },
    ]);
    const audit = await rows('select actor, action, subject from audit order by number');
    expect(audit.map(({ actor, action, subject }) => `${actor} ${action} ${subject}`)).toEqual([
      'ann freeze freeze/f1',
      'bob freeze freeze/f2',
      'bob unfreeze freeze/f1',
    ]);
    expect(await activities.verifyAudit()).toMatchObject({ rows: 3 });
    await expect(activities.writeFreezes({ entries: [{ ...all, by: 'cat' }] })).rejects.toMatchObject({
      message: expect.stringContaining('says something else'),
    });
  });

  it('takes the same call twice as one, and a late copy of an earlier one as nothing', async () => {
    const first = told([BEGUN, step('running')]);
    const head = await activities.writeLedger(first);
    expect(await activities.writeLedger(first)).toEqual(head);
    const after = await activities.writeLedger(told([step('done', 'r1 serves')], { first: 3 }));
    expect(after.number).toBe(3);
    expect(await activities.writeLedger(first)).toEqual(after);
    expect(await rows('select outcome from steps')).toEqual([{ outcome: 'done' }]);
    expect(await activities.verifyAudit()).toEqual({ rows: 3, hash: after.hash });
  });

  it('takes the later story of a run whose task was lost after it told one, and keeps both', async () => {
    const lost = told([BEGUN, step('running')]);
    await activities.writeLedger(lost);
    const other = told([{ ...step('done', 'otherwise'), at: '2026-03-01T00:00:01.000Z' }], { first: 2 });
    const head = await activities.writeLedger(other);
    expect(head.number).toBe(3);
    expect(await rows('select outcome, detail from steps')).toEqual([{ outcome: 'done', detail: 'otherwise' }]);
    // Neither a copy of it nor a late one of what was lost changes anything.
    expect(await activities.writeLedger(other)).toEqual(head);
    expect(await activities.writeLedger(lost)).toEqual(head);
    expect(await rows('select outcome from steps')).toEqual([{ outcome: 'done' }]);
    expect(await activities.verifyAudit()).toEqual({ rows: 3, hash: head.hash });
    expect(await activities.writeLedger({ ...other, run: 'run-2' })).toMatchObject({ number: 4 });
  });

  it('keeps one chain under writers that come at once', async () => {
    const ledgers = kind.shared ? [ledger, open(), open()] : [ledger];
    const each = 12;
    await Promise.all(
      ledgers.flatMap((one, writer) =>
        Array.from({ length: each }, (_, index) => {
          const call = told([BEGUN, step('running')], { teller: `release/sample/${writer}-${index}` });
          const { writeLedger } = createLedgerActivities(one);
          // Both halves of a retry whose first attempt was slow, not dead.
          return Promise.all([writeLedger(call), writeLedger(call)]);
        }),
      ),
    );
    const written = ledgers.length * each * 2;
    const report = await activities.verifyAudit();
    expect(report.broken).toBeUndefined();
    expect(report.rows).toBe(written);
    expect(await rows('select count(*)::int as n from releases')).toEqual([{ n: ledgers.length * each }]);
  });

  it.each([
    ['update', "update audit set actor = 'eve' where number = 2"],
    ['delete', 'delete from audit where number = 2'],
    ['truncate', 'truncate audit'],
    ['forget its end', 'delete from audit_head'],
  ])('does not let anybody %s', async (_, statement) => {
    await activities.writeLedger(told([BEGUN, step('running')]));
    await expect(rows(statement)).rejects.toThrow('append-only');
    expect(await activities.verifyAudit()).toMatchObject({ rows: 2 });
  });

  it.each([
    ["update audit set detail = '{}' where number = 2", 2, 'row 2 was changed after it was written'],
    ["update audit set at = at + interval '1 ms' where number = 3", 3, 'row 3 was changed after it was written'],
    ['delete from audit where number = 2', 2, 'row 2 is missing'],
    ['delete from audit where number >= 3', 3, 'row 3 is missing: 4 were written'],
    ['truncate audit', 1, 'row 1 is missing: 4 were written'],
    ["update audit_head set hash = 'sha256:x'", 4, 'row 4 is not the one that was written last'],
    ['delete from audit_head', 1, 'the end of the audit is not known'],
  ])('finds: %s', async (statement, number, reason) => {
    await activities.writeLedger(told([BEGUN, step('running'), step('done', 'a'), step('done', 'b')]));
    await tamper(statement);
    expect(await activities.verifyAudit()).toMatchObject({
      rows: number === 4 ? 4 : expect.any(Number),
      broken: { number, reason },
    });
  });

  it('walks more rows than it reads at once', async () => {
    const entries = Array.from({ length: 1001 }, (_, index) => step('running', `look ${index}`));
    await activities.writeLedger(told(entries));
    expect(await activities.verifyAudit()).toMatchObject({ rows: 1001 });
    await tamper("update audit set actor = 'eve' where number = 1001");
    expect(await activities.verifyAudit()).toMatchObject({ rows: 1000, broken: { number: 1001 } });
  });

  it('keeps texts that PostgreSQL has no letters for', async () => {
    await activities.writeLedger(told([{ ...BEGUN, by: 'an\0n' } as LedgerEntry, step('done', 'log \0 \ud800 end')]));
    expect(await rows('select detail from steps')).toEqual([{ detail: 'log \ufffd \ufffd end' }]);
    expect(await activities.verifyAudit()).toMatchObject({ rows: 2 });
  });
});

describe('a ledger on PostgreSQL that is away', () => {
  const postgres = program;
  if (postgres === undefined) {
    it.skip('make setup could not bring a PostgreSQL server onto this machine', () => undefined);
    return;
  }

  it('says so, may be tried again, and goes on when it is back', async () => {
    const away = await startPostgres(postgres);
    const lost: Error[] = [];
    const url = await away.createDatabase();
    const ledger = openLedger({ url }, (error) => lost.push(error));
    const [doctor] = ledgerChecks({ url: url.replace('slipway@', 'slipway:secret@') });
    try {
      const { writeLedger, verifyAudit } = createLedgerActivities(ledger);
      await away.stop();
      await expect(writeLedger(told([BEGUN]))).rejects.toMatchObject({
        type: 'SystemUnavailable',
        nonRetryable: false,
        message: expect.stringMatching(/^ledger: writing 1 entries of release\/sample\/1 failed: .*ECONNREFUSED/),
      });
      await expect(doctor?.run(AbortSignal.timeout(60_000))).rejects.toThrow('ECONNREFUSED');
      await away.start();
      expect(await doctor?.run(AbortSignal.timeout(60_000))).toMatch(/^PostgreSQL \d+/);
      expect(doctor?.address).not.toContain('secret');
      expect(await writeLedger(told([BEGUN]))).toMatchObject({ number: 1 });
      await away.stop();
      await expect(writeLedger(told([step('running')], { first: 2 }))).rejects.toMatchObject({
        type: 'SystemUnavailable',
      });
      await away.start();
      expect(await writeLedger(told([step('running')], { first: 2 }))).toMatchObject({ number: 2 });
      expect(await verifyAudit()).toMatchObject({ rows: 2 });
    } finally {
      await ledger.close();
      await away.remove();
    }
  }, 240_000);
});

/** A PostgreSQL starts in a process of its own or two; that takes half a minute on a machine that is busy. */
const DIRECTORY_WITHIN_MS = 180_000;

describe('a ledger in a directory', () => {
  const root = mkdtempSync(join(tmpdir(), 'slipway-ledger-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it(
    'is open in one process only',
    async () => {
      const place = { directory: join(root, 'one') };
      const first = openLedger(place, () => {});
      const second = openLedger(place, () => {});
      try {
        await createLedgerActivities(first).writeLedger(told([BEGUN]));
        await expect(createLedgerActivities(second).verifyAudit()).rejects.toMatchObject({
          message: expect.stringContaining('another process has the ledger'),
        });
        await first.close();
        expect(await createLedgerActivities(second).verifyAudit()).toMatchObject({ rows: 1 });
      } finally {
        await second.close();
      }
    },
    DIRECTORY_WITHIN_MS,
  );

  it(
    'has what it took when the process is killed in the next write',
    async () => {
      const directory = join(root, 'killed');
      const script = `
      import { openLedger } from ${JSON.stringify(new URL('../../activities/ledger/client.ts', import.meta.url).href)};
      import { createLedgerActivities } from ${JSON.stringify(new URL('../../activities/ledger/activities.ts', import.meta.url).href)};
      const { writeLedger } = createLedgerActivities(openLedger(${JSON.stringify({ directory })}, () => {}));
      const told = ${JSON.stringify(told([BEGUN, step('running')]))};
      await writeLedger(told);
      void writeLedger({ ...told, first: 3 });
      setImmediate(() => process.kill(process.pid, 'SIGKILL'));
    `;
      const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
        encoding: 'utf8',
        timeout: DIRECTORY_WITHIN_MS / 2,
      });
      expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
      const ledger = openLedger({ directory }, () => {});
      try {
        const report = await createLedgerActivities(ledger).verifyAudit();
        expect(report.broken).toBeUndefined();
        expect(report.rows).toBeGreaterThanOrEqual(2);
      } finally {
        await ledger.close();
      }
    },
    DIRECTORY_WITHIN_MS,
  );
});
