import type { ReleaseView } from '../../domain/release.ts';
import type { IllnessStory } from './illness.ts';
import type { ReleaseScript } from './script.ts';

/** A release that has ended, and what befell its instances. */
interface Ended {
  readonly view: ReleaseView;
  readonly script: ReleaseScript;
  readonly illness: IllnessStory | undefined;
}

/** What replacing an instance may take, as `run.start` of the manifests has it. */
const GRACE_MS = 60_000;
/** Two looks of a watch, of which a call may fail. */
const SEEN_WITHIN_MS = 60_000;

/** Ends that say something else of a release whose instances are ill too: people, or the judge, were there first. */
const FIRST: ReadonlySet<string> = new Set([
  ...['Aborted', 'ApprovalExpired', 'ApprovalRejected', 'CanaryFailed', 'CanaryInconclusive', 'NotReadyToRollBack'],
]);

const NOT_SEEN: ReadonlySet<string> = new Set(['RevisionUnhealthy', 'DeadlineExceeded', 'NotVerified']);

/** What must hold of a new revision that fell ill; by name. */
export const ILLNESS_INVARIANTS: Readonly<Record<string, (end: Ended) => string | undefined>> = {
  'the-ill-go-back': ({ view, script, illness }) => {
    if (!illness || illness.until !== undefined || view.outcome !== 'released' || isBlind(script)) return undefined;
    const ill = Date.parse(view.endedAt ?? '') - illness.since;
    return ill > GRACE_MS + SEEN_WITHIN_MS ? `it is released, and ill for ${ill / 1000} s` : undefined;
  },
  'nobody-is-taken-for-ill': ({ view, illness }) => {
    if (view.failure?.type !== 'InstancesUnhealthy') return undefined;
    if (!illness) return `nobody was ill, and it says: ${view.failure.message}`;
    const decided = Date.parse(view.rollbacks[0]?.decidedAt ?? view.endedAt ?? '');
    const ill = Math.min(illness.until ?? Number.POSITIVE_INFINITY, decided) - illness.since;
    return ill < GRACE_MS ? `it was ill for ${ill / 1000} s, and went back for it` : undefined;
  },
  'the-ill-say-why': ({ view, script, illness }) => {
    if (!illness || illness.until !== undefined || view.outcome === 'released') return undefined;
    const type = view.failure?.type ?? '';
    if (type === 'InstancesUnhealthy' || FIRST.has(type) || isBlind(script)) return undefined;
    // Who did not see it begins what then never comes to its end.
    if (script.weather.share > 0 && NOT_SEEN.has(type)) return undefined;
    return `its instances were ill, and it ended as ${type}`;
  },
};

/** Where calls fail nobody may be able to see it in time. */
const isBlind = ({ weather }: ReleaseScript): boolean => weather.outages.length > 0;
