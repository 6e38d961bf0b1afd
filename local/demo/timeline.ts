import type { ReleaseView, StepOutcome } from '../../domain/release.ts';

/** How a release is drawn, one line an entry. */
export type Draw = (
  view: ReleaseView,
  options: { readonly width: number; readonly color: boolean; readonly now: string },
) => string[];

/** Where the demo tells what happens: a tree that is redrawn on a terminal, plain lines elsewhere. */
export interface Timeline {
  /** Says one line that stays. */
  say(line: string): void;
  /** Shows how a release stands now. */
  show(view: ReleaseView): void;
}

/** What of a terminal the timeline uses. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const ERASE_LINE = '\u001b[2K';
const up = (lines: number) => (lines > 0 ? `\u001b[${lines}A` : '');

/** A timeline on this output. @param startedAt `Date.now()` from which its seconds count */
export function timeline(output: Output, draw: Draw, startedAt: number): Timeline {
  const stamp = () => `${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  `;
  return output.isTTY ? treeTimeline(output, draw, stamp) : lineTimeline(output, stamp);
}

function treeTimeline(output: Output, draw: Draw, stamp: () => string): Timeline {
  /** Lines of the tree on the screen, which the next drawing replaces. */
  let drawn = 0;
  const replace = (lines: readonly string[], keep: boolean) => {
    const gone = Math.max(0, drawn - lines.length);
    const blank = `${ERASE_LINE}\n`.repeat(gone);
    output.write(`${up(drawn)}${lines.map((line) => `${ERASE_LINE}${line}\n`).join('')}${blank}${up(gone)}`);
    drawn = keep ? 0 : lines.length;
  };
  return {
    say: (line) => replace([`${stamp()}${line}`], true),
    show: (view) =>
      replace(
        draw(view, {
          width: output.columns ?? 100,
          color: process.env['NO_COLOR'] === undefined,
          now: new Date().toISOString(),
        }),
        view.outcome !== undefined,
      ),
  };
}

const WORDS: Record<StepOutcome, string | undefined> = {
  waiting: undefined,
  running: 'begins',
  done: 'done',
  failed: 'failed',
  skipped: undefined,
  undone: 'undone',
};

function lineTimeline(output: Output, stamp: () => string): Timeline {
  const said = new Map<string, string>();
  const once = (key: string, line: string) => {
    if (said.get(key) === line) return;
    said.set(key, line);
    output.write(`${stamp()}${line}\n`);
  };
  return {
    say: (line) => output.write(`${stamp()}${line}\n`),
    show(view) {
      const name = `${view.service}${view.version === undefined ? '' : ` ${view.version}`}`;
      for (const step of view.steps) {
        const word = WORDS[step.outcome];
        const detail = step.detail === undefined ? '' : `: ${step.detail}`;
        if (word !== undefined) once(`${view.id} ${step.id}`, `${name}  ${step.id} ${word}${detail}`);
      }
      if (view.wait) once(`${view.id} wait ${view.wait.reason}`, `${name}  waits: ${view.wait.sentence}`);
      const because = view.failure ? `: ${view.failure.message}` : '';
      if (view.outcome !== undefined) once(view.id, `${name}  ${view.outcome}${because}`);
    },
  };
}
