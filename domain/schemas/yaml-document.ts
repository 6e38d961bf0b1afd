/** Reads one YAML 1.2 document that people write by hand. */
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { InputError } from '../failures.ts';

export type YamlReading =
  | { readonly ok: true; readonly document: unknown }
  | { readonly ok: false; readonly errors: InputError[] };

/**
 * Parses `text` as one YAML document of plain data. Refuses, each error with its line: bad syntax, repeated keys,
 * unknown tags, a second document, aliases (a few lines of them unfold into gigabytes), and text above `maxBytes`
 * bytes of UTF-8.
 */
export function readYaml(text: string, maxBytes: number): YamlReading {
  if (text.length > maxBytes || new TextEncoder().encode(text).length > maxBytes) {
    return refused([largerThan(maxBytes)]);
  }
  const lines = new LineCounter();
  const parsed = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, version: '1.2' });
  const tooDeep = parsed.errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  if (tooDeep) return refused([at(lines, tooDeep.pos[0], 'is nested too deeply to be read')]);
  const wrong = [...parsed.errors, ...parsed.warnings].map(({ code, message, pos }) =>
    at(lines, pos[0], code === 'MULTIPLE_DOCS' ? 'a second document begins; only one is allowed' : message),
  );
  visit(parsed, {
    Map(_, { items }) {
      // Done here because the parser's own check takes time by the square of the keys.
      const seen = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(String(key.value))) wrong.push(at(lines, key.range?.[0] ?? 0, `${key.value} is written twice`));
        seen.add(String(key.value));
      }
    },
    Alias(_, { range, source }) {
      wrong.push(at(lines, range?.[0] ?? 0, `*${source} is an alias; write the value out instead`));
    },
    Pair(_, { key }) {
      // JavaScript objects can't hold this key safely, and zod leaves it out without a word.
      if (isScalar(key) && key.value === '__proto__') {
        wrong.push(at(lines, key.range?.[0] ?? 0, '__proto__ is not a usable key'));
      }
    },
  });
  return wrong.length > 0 ? refused(wrong) : { ok: true, document: parsed.toJS() };
}

/** The parser repeats what it does not understand, however long that is. */
const LONGEST_MESSAGE = 300;

/** What is said of a text that is too long to be read. */
export const largerThan = (maxBytes: number): string => `is larger than ${maxBytes / 1024} KB`;

function at(lines: LineCounter, offset: number, message: string): string {
  const { line, col } = lines.linePos(offset);
  const said = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}...` : message;
  return `line ${line}, column ${col}: ${said}`;
}

function refused(messages: readonly string[]): YamlReading {
  return { ok: false, errors: messages.map((message) => ({ path: '', message })) };
}
