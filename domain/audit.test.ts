import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AUDIT_ORIGIN, type AuditEntry, type AuditRow, auditRow, breakAtEnd, firstBreak } from './audit.ts';

const entry = (detail: string): AuditEntry => ({
  at: '2026-01-02T03:04:05.678Z',
  actor: 'ann',
  action: 'step',
  subject: 'release/sample/1',
  detail,
});

function chain(length: number): AuditRow[] {
  const rows: AuditRow[] = [];
  for (let index = 0; index < length; index += 1) {
    rows.push(auditRow(rows.at(-1) ?? AUDIT_ORIGIN, entry(`{"n":${index}}`)));
  }
  return rows;
}

describe('a chain of audit rows', () => {
  it('holds as it was written, from its origin and from any row on', () => {
    const rows = chain(5);
    expect(firstBreak(AUDIT_ORIGIN, rows)).toBeUndefined();
    expect(firstBreak(rows[2] as AuditRow, rows.slice(3))).toBeUndefined();
    expect(rows.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(rows.map(({ hash }) => hash)).size).toBe(5);
  });

  it('breaks at the row in which anything was changed', () => {
    const changes = { at: '2026-01-02T03:04:05.679Z', actor: 'eve', action: 'no', subject: 'x', detail: '{}' };
    const change = fc.constantFrom(...(Object.entries(changes) as [keyof AuditEntry, string][]));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 }), change, (index, [field, value]) => {
        const rows = chain(5).map((row, at) => (at === index ? { ...row, [field]: value } : row));
        expect(firstBreak(AUDIT_ORIGIN, rows)).toEqual({
          number: index + 1,
          reason: `row ${index + 1} was changed after it was written`,
        });
      }),
    );
  });

  it('breaks where a row was taken out, and after one that was written anew', () => {
    const rows = chain(5);
    expect(firstBreak(AUDIT_ORIGIN, rows.toSpliced(2, 1))?.reason).toBe('row 3 is missing');
    const anew = auditRow(rows[1] as AuditRow, entry('{"n":"eve"}'));
    expect(firstBreak(AUDIT_ORIGIN, rows.with(2, anew))).toMatchObject({ number: 4 });
  });

  it.each([
    ['shorter', 4, 5, 'row 5 is missing: 5 were written'],
    ['longer', 5, 4, 'row 5 was added past the end, which is row 4'],
  ])('ends elsewhere than its head says: %s', (_, last, head, reason) => {
    const rows = [AUDIT_ORIGIN, ...chain(5)];
    expect(breakAtEnd(rows[last] as AuditRow, rows[head] as AuditRow)?.reason).toBe(reason);
  });

  it('has another last row than its head says', () => {
    const last = auditRow(AUDIT_ORIGIN, entry('{}'));
    const head = auditRow(AUDIT_ORIGIN, entry('{"n":1}'));
    expect(breakAtEnd(last, head)).toEqual({ number: 1, reason: 'row 1 is not the one that was written last' });
    expect(breakAtEnd(head, head)).toBeUndefined();
  });
});
