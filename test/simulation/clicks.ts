import type { StepKind } from '../../domain/plan.ts';
import type { Chance } from './chance.ts';

/** Words that end a release early. */
export type EndingWord = 'abort' | 'rollback' | 'reject';

/** What people say to a release or to all, besides what ends it. */
export type ControlWord =
  | 'pause'
  | 'resume'
  | 'freeze'
  | 'unfreeze'
  | 'skipHold'
  | 'skipAnalysis'
  | 'promoteFully'
  | 'retryStep';

/** A person's word: when it is said, and what. */
export interface Click {
  /** Before the n-th change in production is answered, or as soon as the release waits for this, in a step of this kind. */
  readonly when: { readonly change: number } | { readonly wait: string; readonly in?: StepKind };
  readonly say: EndingWord | ControlWord;
  /** Said so many times with the same id. */
  readonly times: number;
}

/** Words that end a release early; in no more than four releases of ten. */
export function endingClicks(chance: Chance, asked: (what: string) => string): Click[] {
  const say = chance.pick<Click['say']>(asked('word'), ['abort', 'rollback']);
  const times = chance.pick(asked('times'), [1, 1, 2, 3]);
  const when = chance.weighted<'never' | 'change' | 'wait' | 'both'>(asked('click'), [
    [60, 'never'],
    [22, 'change'],
    [15, 'wait'],
    [3, 'both'],
  ]);
  const atChange = { change: 1 + chance.below(asked('at change'), 14) };
  const atWait = { wait: chance.pick(asked('at wait'), ['canary-figures', 'hold', 'bake', 'approval']) };
  switch (when) {
    case 'never':
      return [];
    case 'change':
      return [{ when: atChange, say, times }];
    case 'wait':
      return [{ when: atWait, say, times }];
    case 'both':
      return [
        { when: atChange, say, times },
        { when: atChange, say: say === 'abort' ? 'rollback' : 'abort', times },
        { when: atWait, say, times },
      ];
  }
}

/** Words that hold a release up or hurry it, and what is said when it is held up. */
export function controlClicks(chance: Chance, asked: (what: string) => string): Click[] {
  const times = chance.pick(asked('times of control'), [1, 2]);
  const change = 1 + chance.below(asked('control at change'), 6);
  const word = chance.weighted<'nothing' | 'pause' | 'freeze' | 'skipHold' | 'skipAnalysis' | 'promoteFully'>(
    asked('control'),
    [
      [44, 'nothing'],
      [14, 'pause'],
      [14, 'freeze'],
      [10, 'skipHold'],
      [8, 'skipAnalysis'],
      [10, 'promoteFully'],
    ],
  );
  // Somebody says something always: in the days until time ends it the idle lanes would look thousands of times.
  const then = chance.weighted<'go on' | 'stop'>(asked('after it'), [
    [75, 'go on'],
    [25, 'stop'],
  ]);
  const say = (at: Click['when'], ...words: readonly Click['say'][]): Click[] =>
    words.map((each) => ({ when: at, say: each, times }));
  switch (word) {
    case 'nothing':
      return [];
    case 'pause':
      return [...say({ change }, 'pause'), ...say({ wait: 'paused' }, ...AFTER[then].paused)];
    case 'freeze':
      return [...say({ change }, 'freeze'), ...say({ wait: 'freeze' }, ...AFTER[then].frozen)];
    case 'skipHold':
      return say({ wait: chance.pick(asked('what is skipped'), ['hold', 'bake']) }, 'skipHold');
    case 'skipAnalysis':
      return say({ wait: 'canary-figures', in: 'judge' }, 'skipAnalysis');
    case 'promoteFully':
      return say({ wait: chance.pick(asked('from where'), ['canary-figures', 'approval']) }, 'promoteFully');
  }
}

const AFTER = {
  'go on': { paused: ['resume'], frozen: ['unfreeze'] },
  stop: { paused: ['abort'], frozen: ['rollback'] },
} as const;

const ENDING: ReadonlySet<Click['say']> = new Set<Click['say']>(['abort', 'rollback', 'reject']);

/** True where a click may cut short what goes forward. */
export const isEnding = ({ say }: Click): boolean => ENDING.has(say);

/** True where no click keeps a good version from getting through. */
export function letThrough(clicks: readonly Click[]): boolean {
  const said = new Set(clicks.map(({ say }) => say));
  const goesOn = (held: Click['say'], word: Click['say']) => !said.has(held) || said.has(word);
  return !clicks.some(isEnding) && goesOn('pause', 'resume') && goesOn('freeze', 'unfreeze');
}
