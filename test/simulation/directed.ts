import type { Chance } from './chance.ts';
import { CALM } from './faults.ts';
import type { ReleaseScript } from './script.ts';
import { undisturbed } from './undisturbed.ts';

/** What a canary may be told to do; a judge stands behind each weight that is worth one. */
const JUDGED: readonly [string, ...string[]] = [
  '[{ instances: 1 }, { weight: 10% }, { hold: 60s }, { judge: errors }, { weight: 50% }]',
  '[{ weight: 5% }, { hold: 40s }, { judge: errors }, { approve: 1 }, { weight: 50% }, { hold: 20s }, { judge: strict }]',
  '[{ instances: 2 }, { weight: 20% }, { hold: 60s }, { judge: strict }]',
];
export const CANARIES: readonly [string, ...string[]] = [...JUDGED, '[{ weight: 10% }, { hold: 30s }]'];

/** A canary that is judged. */
export const judged = (chance: Chance): Pick<ReleaseScript, 'strategy' | 'canary'> => ({
  strategy: 'canary',
  canary: chance.pick('judged canary', JUDGED),
});

const EVER = 1e9;

/**
 * What chance alone brings hardly once in some dozens of seeds: the last release of one seed in sixteen meets each, after
 * one that serves.
 */
const DIRECTED: Readonly<Record<number, (chance: Chance) => Partial<ReleaseScript>>> = {
  0: ({ seed }) => ({ approval: seed % 32 === 0 ? 'never' : 'rejected', expires: '2m' }),
  6: () => ({ imageGone: EVER, weather: CALM }),
  9: (chance) => ({
    ...judged(chance),
    clicks: [
      { when: { wait: 'canary-figures' }, say: 'promoteFully', times: 1 },
      { when: { wait: 'bake' }, say: 'skipHold', times: 1 },
    ],
  }),
  13: (chance) => ({ ...judged(chance), behaviour: { errors: chance.pick('how harmful', [0.3, 1]), sick: 0 } }),
};

export function directedReleases(chance: Chance, releases: readonly ReleaseScript[]): readonly ReleaseScript[] {
  const over = DIRECTED[chance.seed % 16]?.(chance);
  if (!over) return releases;
  return releases.map((script, index) => {
    if (index === releases.length - 1) return { ...undisturbed(script), ...over };
    return index === 0 ? undisturbed(script) : script;
  });
}
