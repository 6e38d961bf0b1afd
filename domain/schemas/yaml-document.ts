/** Reads one YAML 1.2 document that people write by hand. */
import { LineCounter, parseDocument, visit } from 'yaml';
import type { InputError } from '../failures.ts';

export type YamlReading =
  | { readonly ok: true; readonly document: unknown }
  | { readonly ok: false; readonly errors: InputError[] };

/**
 * Parses `text` as one YAML document of plain data. Refuses, each error with its line: bad syntax, repeated keys,
 * unknown tags, a second document, aliases that grow without bound, and text above `maxBytes` bytes of UTF-8.
 */
export function readYaml(text: string, maxBytes: number): YamlReading {
  if (text.length > maxBytes || new TextEncoder().encode(text).length > maxBytes) {
    return refused([`is larger than ${maxBytes / 1024} KB`]);
  }
  const lines = new LineCounter();
  const parsed = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  const wrong = [...parsed.errors, ...parsed.warnings].map(({ code, message, pos }) =>
    at(lines, pos[0], code === 'MULTIPLE_DOCS' ? 'a second document begins; only one is allowed' : message),
  );
  visit(parsed, {
    Pair(_, pair) {
      // JavaScript objects can't hold this key safely, and zod leaves it out without a word.
      if (String(pair.key) === '__proto__') wrong.push('__proto__ is not a usable key');
    },
  });
  if (wrong.length > 0) return refused(wrong);
  try {
    return { ok: true, document: parsed.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    // The parser throws a ReferenceError for aliases that unfold into too much, and for those that name no anchor.
    if (error instanceof ReferenceError) return refused([error.message]);
    throw error;
  }
}

function at(lines: LineCounter, offset: number, message: string): string {
  const { line, col } = lines.linePos(offset);
  return `line ${line}, column ${col}: ${message}`;
}

function refused(messages: readonly string[]): YamlReading {
  return { ok: false, errors: messages.map((message) => ({ path: '', message })) };
}
