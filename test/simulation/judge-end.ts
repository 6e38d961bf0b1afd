import type { ReleaseView } from '../../domain/release.ts';
import type { EditStory } from './edits-on-the-way.ts';
import { END_INVARIANTS } from './end-invariants.ts';
import type { IllnessStory } from './illness.ts';
import { laneOf } from './lanes.ts';
import { ledgerStory } from './ledger-story.ts';
import { type Observation, observe } from './observation.ts';
import { FOR_THE_OTHER } from './rival-invariants.ts';
import type { Running } from './start-release.ts';

/** What befell a release. */
interface Befallen {
  readonly illness: IllnessStory | undefined;
  readonly edit: EditStory | undefined;
  readonly pair: { readonly left?: Observation | undefined } | undefined;
}

/**
 * What must hold when a release has ended.
 *
 * @param told what befell it; `pair` for one that another one met, and production as it left it to that
 */
export async function judgeEnd(
  { rig, scenario, script, violations, world }: Running,
  view: ReleaseView,
  before: Readonly<Record<'prod' | 'fat', Observation>>,
  { edit, illness, pair }: Befallen,
): Promise<void> {
  const { service } = scenario;
  const endIn = async (environment: 'prod' | 'fat') => ({
    before: before[environment],
    after: observe(world, environment, service),
    lane: await laneOf(rig, environment, service),
  });
  const end = {
    ...{ view, script, production: await endIn('prod'), integration: await endIn('fat') },
    ...{ left: pair?.left, excused: pair ? FOR_THE_OTHER : new Set<string>() },
    ...{ edit, illness },
    ledger: await ledgerStory(rig.ledger, view.id),
    tagged: world.registry.digestOf(service, `v${script.version}`),
  };
  for (const [invariant, holds] of Object.entries(END_INVARIANTS)) {
    const says = violations.length > 0 ? undefined : holds(end);
    if (says !== undefined) violations.push({ invariant, says, at: `end of ${script.version}` });
  }
}
