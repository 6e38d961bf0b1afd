/**
 * `.dockerignore`, by the rules of Docker's own pattern matcher (moby/patternmatcher): the last pattern that matches a
 * path or one of its parents decides; `!` takes a path in again.
 */
interface Pattern {
  readonly exclude: boolean;
  readonly matches: RegExp;
}

/** Returns whether a path (relative to the context, with `/`) is left out of the context. */
export function readIgnoreFile(text: string): (path: string) => boolean {
  const patterns = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parsePattern)
    .filter((pattern) => pattern !== undefined);
  return (path) => {
    const parents = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
    return patterns.reduce(
      (ignored, pattern) => (parents.some((parent) => pattern.matches.test(parent)) ? pattern.exclude : ignored),
      false,
    );
  };
}

function parsePattern(line: string): Pattern | undefined {
  const exclude = !line.startsWith('!');
  const cleaned = clean(exclude ? line : line.slice(1).trim());
  return cleaned === '' ? undefined : { exclude, matches: new RegExp(`^${source(cleaned)}$`, 'u') };
}

/** As Go's `filepath.Clean` does, and relative. */
function clean(pattern: string): string {
  const parts: string[] = [];
  for (const part of pattern.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** A pattern of Go's `filepath.Match`, and `**` for any number of directories, as a regular expression. */
function source(pattern: string): string {
  let result = '';
  for (let index = 0; index < pattern.length; index += 1) {
    const char = pattern.charAt(index);
    if (pattern.startsWith('**', index)) {
      index += 1;
      if (pattern.charAt(index + 1) === '/') index += 1;
      result += index + 1 >= pattern.length ? '.*' : '(?:.*/)?';
    } else if (char === '*') result += '[^/]*';
    else if (char === '?') result += '[^/]';
    else if (char === '[') {
      const end = pattern.indexOf(']', index + 2);
      if (end < 0) result += '\\[';
      else {
        result += `[${pattern.slice(index + 1, end).replace(/[\\[\]]/g, '\\$&')}]`;
        index = end;
      }
    } else if (char === '\\' && index + 1 < pattern.length) {
      index += 1;
      result += literal(pattern.charAt(index));
    } else result += literal(char);
  }
  return result;
}

function literal(char: string): string {
  return /[\\^$.*+?()[\]{}|]/.test(char) ? `\\${char}` : char;
}
