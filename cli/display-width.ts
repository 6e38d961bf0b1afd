/**
 * Text on a terminal: how many columns it takes, cut to them, and made harmless. Chinese characters take two
 * (Unicode Standard Annex 11, East Asian Width W and F).
 */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /\p{Mark}|[\u200b-\u200f\u2060\ufeff]/u;

/** Columns that a text takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/** The text, or as much of its beginning as fits with an ellipsis. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  if (columns < 1) return '';
  let cut = '';
  let width = 0;
  for (const character of text) {
    if (width + widthOf(character) > columns - 1) break;
    cut += character;
    width += widthOf(character);
  }
  return `${cut}…`;
}

/** The text in pieces that fit, one for each line; at least one. */
export function wrapped(text: string, columns: number): string[] {
  const lines = [''];
  let width = 0;
  for (const character of text) {
    const more = widthOf(character);
    if (width > 0 && width + more > columns) {
      lines.push('');
      width = 0;
    }
    lines.push(`${lines.pop()}${character}`);
    width += more;
  }
  return lines;
}

/** The text with blanks to its right, up to a width. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
}

/**
 * The text on one line without anything that a terminal would obey: a build log must not be able to move the cursor
 * or rewrite what stands above it.
 */
export function harmless(text: string): string {
  return harmlessLine(text).trim();
}

/** The same with its indentation. */
export function harmlessLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ').trimEnd();
}

function widthOf(character: string): number {
  if (NO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
