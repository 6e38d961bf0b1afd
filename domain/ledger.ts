import type { ApprovalRecord, ReleaseFailure, ReleaseOutcome, RollbackRecord, StepRecord } from './release.ts';

/** What the ledger keeps of a release, one fact an entry. Times are ISO 8601. */
export type LedgerEntry =
  /** It was asked for; `request` is kept as it came. */
  | { readonly kind: 'begun'; readonly at: string; readonly by: string; readonly request: unknown }
  /** It has a plan; what people approve is its digest. */
  | { readonly kind: 'planned'; readonly at: string; readonly digest: string; readonly plan: unknown }
  /** A step has begun or ended. */
  | { readonly kind: 'step'; readonly at: string; readonly step: StepRecord }
  | { readonly kind: 'approval'; readonly at: string; readonly approval: ApprovalRecord }
  /** What the judge said and what that rests on, kept to the last digit; `number` counts them, from 1. */
  | {
      readonly kind: 'verdict';
      readonly at: string;
      readonly number: number;
      readonly verdict: unknown;
      readonly inputs: unknown;
    }
  | { readonly kind: 'rollback'; readonly at: string; readonly rollback: RollbackRecord }
  /** A person's word that ends it early. */
  | {
      readonly kind: 'stopped';
      readonly at: string;
      readonly by: string;
      readonly type: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'ended';
      readonly at: string;
      readonly outcome: ReleaseOutcome;
      readonly failure?: ReleaseFailure;
    };

/** Who did what the entry tells: a person, the judge, or Slipway itself. */
export function actorOf(entry: LedgerEntry): string {
  switch (entry.kind) {
    case 'begun':
    case 'stopped':
      return entry.by;
    case 'approval':
      return entry.approval.by;
    case 'verdict':
      return 'judge';
    default:
      return 'slipway';
  }
}

/** Entries of one release, in the order in which they came about. */
export interface LedgerEntries {
  /** Workflow id of the release. */
  readonly release: string;
  readonly service: string;
  /** Run id of that workflow: a run that was reset tells its own story from there on. */
  readonly run: string;
  /** Number of the first entry; a run counts its entries from 1. */
  readonly first: number;
  readonly entries: readonly LedgerEntry[];
}
