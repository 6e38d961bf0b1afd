import type { WorkflowHandle } from '@temporalio/client';
import type { WhenBusy } from '../../domain/admission.ts';
import type { ReleaseView } from '../../domain/release.ts';
import { admittedSignal, leaveSignal } from '../../workflows/contract.ts';

/** Where the second release asked for a lane that the first one held. */
export interface Meeting {
  readonly environment: string;
  /** Whether the first one had changed anything there. */
  readonly touched: boolean;
}

/** Two releases of one service that were under way at once, when both have ended. */
export interface Rivals {
  readonly whenBusy: WhenBusy;
  readonly first: ReleaseView;
  readonly second: ReleaseView;
  readonly meetings: readonly Meeting[];
  /** Whether the second one has changed anything in production. */
  readonly went: boolean;
}

/** How the second, or the first, ends for the sake of the other: no fault of what is released. */
export const FOR_THE_OTHER: ReadonlySet<string> = new Set(['LaneBusy', 'PlanOutdated', 'Superseded']);

/** What must hold of two at once when both have ended; by the name under which a failing run tells them. */
export const RIVAL_INVARIANTS: Readonly<Record<string, (rivals: Rivals) => string | undefined>> = {
  'who-would-not-wait-is-refused': ({ first, meetings, second, whenBusy }) => {
    const refused = second.failure?.type === 'LaneBusy';
    if (whenBusy !== 'refuse') return refused ? `it would ${whenBusy} and was refused` : undefined;
    if (meetings.length === 0 || endsBefore(first, second)) return undefined;
    return refused ? undefined : `it would not wait, and is ${said(second)}`;
  },
  'who-waits-comes-after': ({ first, second, went }) => {
    const after = endsBefore(first, second) || FOR_THE_OTHER.has(second.failure?.type ?? '');
    return went && !after
      ? `it has changed production and ended at ${second.endedAt}, the first at ${first.endedAt}`
      : undefined;
  },
  'what-gives-way-has-changed-nothing': ({ first, meetings, whenBusy }) => {
    const gaveWay = first.failure?.type === 'Superseded';
    if (whenBusy !== 'supersede') return gaveWay ? `it was to ${whenBusy}, and the first one gave way` : undefined;
    const met = meetings.at(-1);
    if (!met) return undefined;
    if (met.touched) return gaveWay ? `it gave way although it had changed ${met.environment}` : undefined;
    if (!gaveWay) return `it had changed nothing in ${met.environment}, and is ${said(first)}`;
    return first.outcome === 'aborted' ? undefined : `it gave way and is ${first.outcome}`;
  },
  'who-is-turned-away-changes-nothing': ({ second, went }) => {
    const turnedAway = second.failure?.type === 'LaneBusy' || second.failure?.type === 'PlanOutdated';
    if (!turnedAway || (!went && second.outcome === 'failed')) return undefined;
    return `it is ${said(second)}${went ? ', and has changed production' : ''}`;
  },
  'an-outdated-plan-goes-nowhere': ({ first, second }) => {
    const outdated = second.failure?.type === 'PlanOutdated';
    if (first.outcome !== 'released') return outdated ? 'its plan is outdated, and nothing new serves' : undefined;
    return second.outcome === 'released' ? `${first.version} serves since it was planned, and it went on` : undefined;
  },
};

/** How it went, in a word. */
export function outcomeOf({ first, second }: Rivals): string {
  if (first.failure?.type === 'Superseded') return 'Superseded';
  return second.failure?.type ?? (first.outcome === 'released' ? 'goes upon it' : 'goes after it went back');
}

const said = ({ failure, outcome }: ReleaseView): string => `${outcome}${failure ? `: ${failure.message}` : ''}`;

const endsBefore = (one: ReleaseView, other: ReleaseView): boolean =>
  Date.parse(one.endedAt ?? '') <= Date.parse(other.endedAt ?? '');

/** Who was given a lane while another one had it, by the lane's own history. */
export async function givenTwice(lane: WorkflowHandle): Promise<string | undefined> {
  const { events } = await lane.fetchHistory();
  let holder: string | undefined;
  for (const event of events ?? []) {
    const came = event.workflowExecutionSignaledEventAttributes;
    const sent = event.signalExternalWorkflowExecutionInitiatedEventAttributes;
    if (came?.signalName === leaveSignal.name && argumentOf(came)['holder'] === holder) holder = undefined;
    if (sent?.signalName !== admittedSignal.name || argumentOf(sent)['admitted'] !== true) continue;
    const asked = sent.workflowExecution?.workflowId ?? '';
    if (holder !== undefined && holder !== asked) return `${asked} was given ${lane.workflowId}, which ${holder} had`;
    holder = asked;
  }
  return undefined;
}

interface Signalled {
  readonly input?: { readonly payloads?: readonly { readonly data?: Uint8Array | null }[] | null } | null;
}

function argumentOf({ input }: Signalled): Readonly<Record<string, unknown>> {
  const data = input?.payloads?.[0]?.data;
  return data ? (JSON.parse(Buffer.from(data).toString('utf8')) as Readonly<Record<string, unknown>>) : {};
}
