import type { Chance } from './chance.ts';
import { letThrough } from './clicks.ts';
import { judged } from './directed.ts';
import { CALM } from './faults.ts';
import type { EditScript, IllnessScript, ReleaseScript } from './script.ts';
import { undisturbed } from './undisturbed.ts';

type Trouble =
  | { readonly illness: Omit<IllnessScript, 'who'> }
  | { readonly edit: Pick<EditScript, 'what' | 'at' | 'answer'> };

const ill = (at: IllnessScript['at'], heals?: number): Trouble => ({ illness: { at, heals } });
const edited = (what: EditScript['what'], at: EditScript['at'], answer: EditScript['answer'] = 'revert'): Trouble => ({
  edit: { what, at, answer },
});

/** In an order in which a few dozen seeds have each; in a shift can be changed what is written over only as it was left. */
const TROUBLES: readonly Trouble[] = [
  ill('bake'),
  edited('config', 'shift'),
  edited('old instances', 'hold', 'adopt'),
  ill('hold', 25),
  edited('traffic', 'hold'),
  ill('approve'),
  edited('bounds', 'shift'),
  edited('new app', 'bake', 'undo'),
  ill('judge', 45),
  edited('old app', 'hold', 'roll back'),
  edited('config', 'bake'),
  ill('hold'),
  edited('traffic', 'shift'),
  edited('bounds', 'hold', 'adopt'),
  ill('bake', 10),
  edited('new instances', 'bake', 'adopt'),
  ill('judge'),
  edited('config', 'approve', 'adopt'),
  ill('approve', 45),
  edited('old instances', 'bake'),
];

/** Of so many seeds the last ones have one trouble each. */
const ROUND = 151;
export const FIRST_TROUBLED = ROUND - TROUBLES.length;
export const TROUBLED = TROUBLES.length;

const troubleOf = ({ seed }: Chance): Trouble | undefined => TROUBLES[(seed % ROUND) - FIRST_TROUBLED];

export const isTroubled = (chance: Chance): boolean => troubleOf(chance) !== undefined;

/** Something happens in the middle of the last of two releases, once it is there, after one that serves. */
export const troubledReleases = (
  chance: Chance,
  [before, script]: readonly ReleaseScript[],
): readonly ReleaseScript[] =>
  before && script
    ? [
        { ...undisturbed(before), configVersion: 1 },
        { ...troubled(chance, troubleOf(chance), script), configVersion: 2 },
      ]
    : [];

function troubled(chance: Chance, trouble: Trouble | undefined, script: ReleaseScript): ReleaseScript {
  if (!trouble) return script;
  const { at } = 'illness' in trouble ? trouble.illness : trouble.edit;
  const waits = at !== 'bake' && at !== 'shift';
  const common = {
    ...undisturbed(script),
    clicks: clicksOf(script, at === 'hold'),
    handEdit: undefined,
    // One that is ill for ever: a bake is over before a look calls it so, and what comes next is held up.
    bake: 'illness' in trouble && trouble.illness.heals === undefined ? '60s' : '3m',
    ...(waits ? { ...judged(chance), canary: at === 'approve' ? ASKING : HOLDING } : {}),
  };
  if ('illness' in trouble) {
    const who = chance.pick('who is ill', ['all', 'one'] as const);
    return {
      ...common,
      illness: { ...trouble.illness, who },
      // Where no call fails nothing goes forward beside it.
      weather: trouble.illness.heals === undefined ? CALM : common.weather,
      figuresFor: at === 'judge' ? -1 : common.figuresFor,
    };
  }
  const late = at !== 'approve' && chance.hits('late answer', 0.5);
  const change = 1 + chance.below('change to edit at', 3);
  return {
    ...common,
    edit: { ...trouble.edit, late, change },
    // A canary waits between its changes: of those that make them at once some are to be there too.
    strategy: at === 'shift' && script.strategy === 'canary' ? 'blue-green' : common.strategy,
  };
}

/** What people say to it, where that does not end it, or skip what it is to come to. */
function clicksOf({ clicks }: ReleaseScript, mayBeSkipped: boolean): ReleaseScript['clicks'] {
  const skips = clicks.some(({ say }) => say.startsWith('skip') || say === 'promoteFully');
  return letThrough(clicks) && (mayBeSkipped || !skips) ? clicks : [];
}

/** Asks a person while the new revision serves some. */
const ASKING =
  '[{ weight: 5% }, { hold: 40s }, { judge: errors }, { approve: 1 }, { weight: 50% }, { hold: 20s }, { judge: strict }]';
/** Has a judge that may wait long. */
const HOLDING = '[{ instances: 1 }, { weight: 10% }, { hold: 60s }, { judge: errors }, { weight: 50% }]';
