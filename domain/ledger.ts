import type { Bundle } from './bundle.ts';
import type { NamedDifference } from './drift-sentences.ts';
import type { FreezeScope } from './freeze.ts';
import type {
  ApprovalRecord,
  CommandRecord,
  ReleaseFailure,
  ReleaseOutcome,
  RollbackRecord,
  StepRecord,
} from './release.ts';
import type { Veto } from './veto.ts';

/** What the ledger keeps, one fact an entry. Times are ISO 8601. */
export type LedgerEntry =
  /** It was asked for; `request` is kept as it came. */
  | { readonly kind: 'begun'; readonly at: string; readonly by: string; readonly request: unknown }
  /** It has a plan; what people approve is its digest. */
  | { readonly kind: 'planned'; readonly at: string; readonly digest: string; readonly plan: unknown }
  /** What is released, as soon as that is known. */
  | { readonly kind: 'bundle'; readonly at: string; readonly bundle: Bundle }
  /** A step has begun or ended. */
  | { readonly kind: 'step'; readonly at: string; readonly step: StepRecord }
  | { readonly kind: 'approval'; readonly at: string; readonly approval: ApprovalRecord }
  /** What the judge said and what that rests on, kept to the last digit; `number` counts them, from 1. */
  | {
      readonly kind: 'verdict';
      readonly at: string;
      readonly number: number;
      /** Id of the step, a judge or the hold before it, and name of the judge in the manifest. */
      readonly step: string;
      readonly judge: string;
      readonly verdict: unknown;
      readonly inputs: unknown;
    }
  | { readonly kind: 'rollback'; readonly at: string; readonly rollback: RollbackRecord }
  /** A bundle that was rolled back may not go to the environment again. */
  | { readonly kind: 'vetoed'; readonly at: string; readonly environment: string; readonly veto: Veto }
  /** A person let it. With the veto itself, since the lane may tell this before the release could tell the other. */
  | {
      readonly kind: 'veto-lifted';
      readonly at: string;
      readonly environment: string;
      readonly veto: Veto;
      readonly by: string;
      readonly reason: string;
    }
  /** What runs was changed by hand. */
  | {
      readonly kind: 'drifted';
      readonly at: string;
      readonly environment: string;
      readonly differences: readonly NamedDifference[];
    }
  /** A person has had that taken over, or put back. */
  | {
      readonly kind: 'drift-resolved';
      readonly at: string;
      readonly environment: string;
      readonly differences: readonly NamedDifference[];
      readonly how: 'adopted' | 'reverted';
      readonly by: string;
      readonly reason: string;
    }
  /** A person's word that holds it up, moves it on, or counts towards that. */
  | { readonly kind: 'command'; readonly at: string; readonly command: CommandRecord }
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
    case 'veto-lifted':
    case 'drift-resolved':
      return entry.by;
    case 'approval':
      return entry.approval.by;
    case 'command':
      return entry.command.by;
    case 'verdict':
      return 'judge';
    default:
      return 'slipway';
  }
}

/** Entries of one workflow, in the order in which they came about. */
export interface LedgerEntries {
  /** Id of the workflow that tells them: a release, or the lane. */
  readonly teller: string;
  readonly service: string;
  /** Run id of that workflow: a run that was reset tells its own story from there on. */
  readonly run: string;
  /** Number of the first entry; a run counts its entries from 1. */
  readonly first: number;
  readonly entries: readonly LedgerEntry[];
}

/** What the ledger keeps of freezes, one fact an entry. */
export type FreezeEntry =
  | {
      readonly kind: 'freeze';
      readonly id: string;
      readonly scope: FreezeScope;
      readonly by: string;
      readonly reason: string;
      /** ISO 8601. */
      readonly at: string;
      readonly until?: string;
    }
  /** Somebody lifted it, or its time had come. */
  | {
      readonly kind: 'unfreeze';
      readonly id: string;
      readonly by: string;
      readonly reason: string;
      readonly at: string;
    };
