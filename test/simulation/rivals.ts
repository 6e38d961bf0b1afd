import type { WhenBusy } from '../../domain/admission.ts';
import type { Chance } from './chance.ts';
import type { Click } from './clicks.ts';
import { judged } from './directed.ts';
import type { ReleaseScript, RivalScript } from './script.ts';
import { undisturbed } from './undisturbed.ts';

interface RivalKind {
  readonly whenBusy: WhenBusy;
  readonly begins: 'in integration' | 'behind';
  readonly comes: string;
  /** What the first one is beside what it would be. */
  readonly first?: Partial<ReleaseScript>;
  readonly says?: readonly Click[];
}

const RETRY: Click = { when: { wait: 'retry' }, say: 'retryStep', times: 1 };
const goesBack = (wait: string, say: Click['say']): Click => ({ when: { wait }, say, times: 1 });

/** Where the first one stands when the second begins: its tests have failed and somebody may try again, or integration is free. */
const BEGINS = { 'in integration': ['retry'], behind: ['approval', 'window'] } as const;

/** It holds the lane of production, is held up by a window that the second one does not have, and has changed nothing yet. */
const CLOSED = { approvers: 0, closure: { closes: -30, opens: 8, begins: 0, zone: 'Asia/Shanghai' } } as const;

const KINDS: readonly RivalKind[] = [
  { whenBusy: 'refuse', begins: 'in integration', comes: 'bake' },
  { whenBusy: 'wait', begins: 'in integration', comes: 'canary-figures' },
  { whenBusy: 'supersede', begins: 'in integration', comes: 'bake' },
  { whenBusy: 'refuse', begins: 'behind', comes: 'bake' },
  { whenBusy: 'supersede', begins: 'behind', comes: 'window', first: CLOSED },
  { whenBusy: 'supersede', begins: 'in integration', comes: 'window', first: CLOSED },
  { whenBusy: 'wait', begins: 'in integration', comes: 'bake', first: { clicks: [goesBack('bake', 'rollback')] } },
  {
    whenBusy: 'supersede',
    begins: 'behind',
    comes: 'bake',
    first: { clicks: [goesBack('bake', 'abort')] },
  },
  { whenBusy: 'wait', begins: 'behind', comes: 'bake', says: [goesBack('admission', 'abort')] },
];

/** In one seed of seven, each kind in turn. */
export const hasRivals = ({ seed }: Chance): boolean => seed % 7 === 6;

/** The releases of a seed in which two meet: one that serves, and the first and the second of the pair. */
export function rivalReleases(chance: Chance, [before, next]: readonly ReleaseScript[]): readonly ReleaseScript[] {
  const kind = KINDS[Math.floor(chance.seed / 7) % KINDS.length];
  if (!before || !next || !kind) throw new RangeError(`seed ${chance.seed} has too few releases`);
  const first: ReleaseScript = {
    ...undisturbed(next),
    ...(kind.begins === 'in integration' ? FAILS_ONCE : {}),
    ...(kind.comes === 'canary-figures' ? judged(chance) : {}),
    ...kind.first,
    clicks: [...(kind.begins === 'in integration' ? [RETRY] : []), ...(kind.first?.clicks ?? [])],
  };
  const second: ReleaseScript = {
    ...undisturbed(next),
    ...{ version: '2.5.0', source: 'bundle', most: next.most + 5, workerLostAt: 0, handEdit: undefined },
    configVersion: (next.configVersion + 1) % 3,
    approvers: Math.max(1, next.approvers),
    closure: undefined,
    clicks: kind.says ?? [],
  };
  const rival: RivalScript = {
    whenBusy: kind.whenBusy,
    begins: BEGINS[kind.begins],
    comes: kind.comes,
    script: second,
  };
  return [undisturbed(before), { ...first, rival }];
}

const FAILS_ONCE = { testsFail: 'once', retryWithin: '5m' } as const;
