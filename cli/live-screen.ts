const CLEAR_LINE = '\u001b[2K';
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

export interface Terminal {
  write(text: string): unknown;
  readonly columns?: number;
  readonly rows?: number;
}

/** Lines that are drawn again in place. Only what has changed is written, so nothing flickers. */
export class LiveScreen {
  private readonly terminal: Terminal;
  private drawn: readonly string[] = [];
  private open = false;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  /** Shows these lines instead of those before. More than fit keep the first and, of the rest, the last. */
  draw(lines: readonly string[]): void {
    const shown = fitRows(lines, (this.terminal.rows || 24) - 1);
    const height = Math.max(this.drawn.length, shown.length);
    let output = this.open ? '' : HIDE_CURSOR;
    this.open = true;
    if (this.drawn.length > 0) output += `\u001b[${this.drawn.length}A`;
    for (let row = 0; row < height; row += 1) {
      const line = shown[row];
      // A line that was not there before must be written even when empty: the cursor can't go below the last line.
      if (line !== this.drawn[row]) output += `\r${CLEAR_LINE}${line ?? ''}`;
      output += '\r\n';
    }
    if (height > shown.length) output += `\u001b[${height - shown.length}A`;
    this.drawn = shown;
    this.terminal.write(output);
  }

  /** Takes the lines away, for something else to be written there. */
  clear(): void {
    if (this.drawn.length > 0) this.terminal.write(`\u001b[${this.drawn.length}A\u001b[0J`);
    this.drawn = [];
    this.end();
  }

  /** Leaves the lines as they are and gives the cursor back. */
  end(): void {
    if (this.open) this.terminal.write(SHOW_CURSOR);
    this.open = false;
  }
}

function fitRows(lines: readonly string[], rows: number): readonly string[] {
  const [first] = lines;
  if (lines.length <= rows || first === undefined || rows < 1) return lines;
  return rows === 1 ? [first] : [first, ...lines.slice(lines.length - rows + 1)];
}
