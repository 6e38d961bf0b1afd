import type { ReleaseView, StepOutcome } from '../../domain/release.ts';
import type { TrafficReport } from './load.ts';

/** `.slipway/demo-report.json`: what the demo did and saw. */
export interface DemoReport {
  /** Version of every part, by name. */
  readonly components: Readonly<Record<string, string>>;
  readonly releases: readonly ReportedRelease[];
  readonly traffic: TrafficReport;
  /** Of the bad version: from the verdict to all traffic verified on the old revision, and to everything restored. */
  readonly rollback: { readonly decisionToTrafficMs: number; readonly decisionToDoneMs: number };
  /** Instances before, at the height of, and after the doubled load. */
  readonly autoscale: { readonly from: number; readonly to: number; readonly back: number };
  readonly gc: {
    readonly tagsDeleted: number;
    readonly bytesReclaimed: number;
    readonly kept: readonly {
      readonly tags: readonly string[];
      readonly digest: string;
      readonly reasons: readonly string[];
    }[];
  };
  /** Events in the history of each release's workflow, by its id. */
  readonly historyEvents: Readonly<Record<string, number>>;
  /** Every expectation of the demo, held or not. */
  readonly expectations: readonly Expectation[];
}

export interface ReportedRelease {
  readonly service: string;
  readonly version: string;
  readonly outcome: string;
  readonly commit: string;
  readonly imageDigest: string;
  readonly planDigest: string;
  readonly steps: readonly {
    readonly kind: string;
    readonly environment?: string;
    readonly outcome: StepOutcome;
    readonly startedAt?: string;
    readonly endedAt?: string;
  }[];
}

export interface Expectation {
  readonly what: string;
  readonly held: boolean;
  /** What was seen. */
  readonly seen: string;
}

/** The part of a release that stands in the report. */
export function reportRelease(view: ReleaseView): ReportedRelease {
  return {
    service: view.service,
    version: view.version ?? '',
    outcome: view.outcome ?? 'running',
    commit: view.commit ?? '',
    imageDigest: view.bundle?.image.digest ?? '',
    planDigest: view.plan?.digest ?? '',
    steps: view.steps.map(({ kind, environment, outcome, startedAt, endedAt }) => ({
      kind,
      ...(environment === undefined ? {} : { environment }),
      outcome,
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(endedAt === undefined ? {} : { endedAt }),
    })),
  };
}

/** Milliseconds from the decision to go back until traffic, and until everything, was as before; NaN where it was not. */
export function rollbackTimes(view: ReleaseView): DemoReport['rollback'] {
  const rollback = view.rollbacks[0];
  const since = (at: string | undefined) =>
    rollback === undefined || at === undefined ? Number.NaN : Date.parse(at) - Date.parse(rollback.decidedAt);
  return { decisionToTrafficMs: since(rollback?.trafficAt), decisionToDoneMs: since(rollback?.doneAt) };
}
