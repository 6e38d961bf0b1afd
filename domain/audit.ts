import { canonicalJson, sha256Digest } from './digest.ts';

/** What somebody did, as the audit keeps it. */
export interface AuditEntry {
  /** ISO 8601, when it was done. */
  readonly at: string;
  readonly actor: string;
  /** Such as `release-begun` or `approval`. */
  readonly action: string;
  /** What it was done to, such as a release's id. */
  readonly subject: string;
  /** All that is known of it, as canonical JSON. */
  readonly detail: string;
}

/** An entry in its place in the chain. */
export interface AuditRow extends AuditEntry {
  /** 1 for the first row, and one more for each. */
  readonly number: number;
  /** Hash of the row before. */
  readonly previous: string;
  /** `sha256:` of everything else in canonical JSON. */
  readonly hash: string;
}

/** The end of a chain: what the next row follows. */
export interface AuditHead {
  readonly number: number;
  readonly hash: string;
}

/** Where every chain begins; the first row follows it. */
export const AUDIT_ORIGIN: AuditHead = { number: 0, hash: sha256Digest('') };

/** The entry as the row that follows the head. */
export function auditRow(head: AuditHead, entry: AuditEntry): AuditRow {
  const row = { ...onlyEntry(entry), number: head.number + 1, previous: head.hash };
  return { ...row, hash: hashOf(row) };
}

/** A row at which a chain does not hold, and why, in one plain sentence. */
export interface AuditBreak {
  readonly number: number;
  readonly reason: string;
}

/** What a walk along a whole chain found. */
export interface AuditReport {
  /** Rows that hold, from the first on. */
  readonly rows: number;
  /** Hash of the last of them: noted elsewhere, it proves later that nothing before it was changed. */
  readonly hash: string;
  /** The first row that does not hold; absent when all do. */
  readonly broken?: AuditBreak;
}

/**
 * The first of the rows, ordered by number, at which the chain does not hold: missing, changed, or in the place of
 * another.
 *
 * @param head what the first of them must follow
 * @returns undefined when each follows the one before
 */
export function firstBreak(head: AuditHead, rows: readonly AuditRow[]): AuditBreak | undefined {
  let before = head;
  for (const row of rows) {
    const number = before.number + 1;
    if (row.number !== number) return { number, reason: `row ${number} is missing` };
    if (row.previous !== before.hash) {
      return {
        number,
        reason: `row ${number} does not follow row ${before.number}: one of the two was put there later`,
      };
    }
    if (row.hash !== hashOf(row)) return { number, reason: `row ${number} was changed after it was written` };
    before = row;
  }
  return undefined;
}

/** What is wrong at the end of a chain whose rows hold; undefined when it ends where its head says. */
export function breakAtEnd(last: AuditHead, head: AuditHead): AuditBreak | undefined {
  if (last.number < head.number) {
    return { number: last.number + 1, reason: `row ${last.number + 1} is missing: ${head.number} were written` };
  }
  if (last.number > head.number) {
    return {
      number: head.number + 1,
      reason: `row ${head.number + 1} was added past the end, which is row ${head.number}`,
    };
  }
  if (last.hash === head.hash) return undefined;
  return { number: last.number, reason: `row ${last.number} is not the one that was written last` };
}

function hashOf({ number, previous, ...entry }: Omit<AuditRow, 'hash'>): string {
  return sha256Digest(canonicalJson({ ...onlyEntry(entry), number, previous }));
}

function onlyEntry({ at, actor, action, subject, detail }: AuditEntry): AuditEntry {
  return { at, actor, action, subject, detail };
}
