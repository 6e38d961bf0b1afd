import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LiveScreen } from './live-screen.ts';

const ESCAPE = String.fromCharCode(27);
const CONTROL = new RegExp(`^${ESCAPE}\\[(\\?25[hl]|\\d+A|2K|0J)`);

/** As much of a terminal as the screen uses: what is written, cursor up, erase line, erase below, cursor on and off. */
class Emulator {
  readonly lines: string[] = [''];
  cursorShown = true;
  written = '';
  readonly rows: number;
  private row = 0;
  private column = 0;

  constructor(rows: number) {
    this.rows = rows;
  }

  write(text: string): void {
    this.written += text;
    let rest = text;
    while (rest !== '') {
      const control = CONTROL.exec(rest);
      if (control) {
        this.obey(control[1] ?? '');
        rest = rest.slice(control[0].length);
        continue;
      }
      const character = rest.charAt(0);
      rest = rest.slice(1);
      if (character === '\r') this.column = 0;
      else if (character === '\n') {
        this.row += 1;
        if (this.lines[this.row] === undefined) this.lines[this.row] = '';
      } else {
        const line = this.lines[this.row] ?? '';
        this.lines[this.row] = line.slice(0, this.column).padEnd(this.column) + character + line.slice(this.column + 1);
        this.column += 1;
      }
    }
  }

  private obey(control: string): void {
    if (control === '?25h') this.cursorShown = true;
    else if (control === '?25l') this.cursorShown = false;
    else if (control === '2K') this.lines[this.row] = '';
    else if (control === '0J') this.lines.splice(this.row, this.lines.length, '');
    else this.row -= Number.parseInt(control, 10);
    if (this.row < 0) throw new Error('the cursor left the screen');
  }

  /** What stands there, without empty lines below. */
  get picture(): string[] {
    const last = this.lines.findLastIndex((line) => line !== '');
    return this.lines.slice(0, last + 1);
  }
}

describe('the live screen', () => {
  it('shows the last drawing and nothing of those before, whatever their sizes', () => {
    const drawing = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', ' c'), maxLength: 5 }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(drawing, { minLength: 1, maxLength: 6 }), (drawings) => {
        const terminal = new Emulator(40);
        const screen = new LiveScreen(terminal);
        for (const lines of drawings) screen.draw(lines);
        const last = drawings.at(-1) ?? [];
        expect(terminal.picture).toEqual(last.slice(0, last.findLastIndex((line) => line !== '') + 1));
        screen.clear();
        expect(terminal.picture).toEqual([]);
        expect(terminal.cursorShown).toBe(true);
      }),
    );
  });

  it('writes only what has changed', () => {
    const terminal = new Emulator(40);
    const screen = new LiveScreen(terminal);
    screen.draw(['title', 'first step', 'second step']);
    terminal.written = '';
    screen.draw(['title', 'first step', 'second done']);
    expect(terminal.written).not.toContain('first');
    expect(terminal.written).toContain('second done');
  });

  it('keeps the first line and the last ones when there are more than rows', () => {
    const terminal = new Emulator(4);
    new LiveScreen(terminal).draw(['title', 'a', 'b', 'c', 'd']);
    expect(terminal.picture).toEqual(['title', 'c', 'd']);
  });

  it('gives the cursor back', () => {
    const terminal = new Emulator(10);
    const screen = new LiveScreen(terminal);
    screen.draw(['a']);
    expect(terminal.cursorShown).toBe(false);
    screen.end();
    expect(terminal.cursorShown).toBe(true);
    expect(terminal.picture).toEqual(['a']);
  });
});
