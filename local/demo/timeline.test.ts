import { describe, expect, it } from '@jest/globals';
import type { ReleaseView, StepOutcome } from '../../domain/release.ts';
import { timeline } from './timeline.ts';

const view = (outcomes: Record<string, StepOutcome>, over: Partial<ReleaseView> = {}): ReleaseView => ({
  id: 'release/sample/k',
  service: 'sample',
  version: '1.0.0',
  requestedBy: 'ann',
  startedAt: '2026-01-01T00:00:00Z',
  steps: Object.entries(outcomes).map(([id, outcome]) => ({ id, kind: 'build', outcome })),
  approvals: [],
  verdicts: [],
  rollbacks: [],
  ...over,
});

function screen(isTTY: boolean) {
  let text = '';
  const output = { isTTY, columns: 80, write: (more: string) => (text += more) };
  const draw = (shown: ReleaseView) => shown.steps.map(({ id, outcome }) => `${id} ${outcome}`);
  return { line: timeline(output, draw, Date.now()), text: () => text, clear: () => (text = '') };
}

describe('timeline on a terminal', () => {
  it('draws the tree over the one before, and clears lines that are gone', () => {
    const { line, text, clear } = screen(true);
    line.show(view({ build: 'running', deploy: 'waiting' }));
    clear();
    line.show(view({ build: 'done' }));
    expect(text()).toBe('\u001b[2A\u001b[2Kbuild done\n\u001b[2K\n\u001b[1A');
  });

  it('leaves the tree of a release that has ended', () => {
    const { line, text, clear } = screen(true);
    line.show(view({ build: 'done' }, { outcome: 'released' }));
    clear();
    line.say('next');
    expect(text()).toMatch(/^.\[2K +\d+\.\d s {2}next\n$/);
  });
});

describe('timeline elsewhere', () => {
  it('says each change once, in plain lines', () => {
    const { line, text } = screen(false);
    line.show(view({ build: 'running', deploy: 'waiting' }));
    line.show(view({ build: 'running', deploy: 'waiting' }));
    line.show(view({ build: 'done', deploy: 'skipped' }, { outcome: 'failed' }));
    const lines = text()
      .trimEnd()
      .split('\n')
      .map((said) => said.replace(/^ *[0-9.]+ s {2}/, ''));
    expect(lines).toEqual(['sample 1.0.0  build begins', 'sample 1.0.0  build done', 'sample 1.0.0  failed']);
    expect(text()).not.toContain('\u001b');
  });
});
