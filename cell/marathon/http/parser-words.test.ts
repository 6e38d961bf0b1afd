import { expect, it } from '@jest/globals';
import { parserWords } from './parser-words.ts';

/** The first four are recorded answers of Marathon 1.7 and 1.11. */
it.each([
  ['{"id":', 'Unexpected end-of-input within/between Object entries'],
  ['{"id": "/e", ', 'Unexpected end-of-input within/between Object entries'],
  [
    'hello',
    "Unrecognized token 'hello': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
  ],
  ['{"a":"x",}', "Unexpected character ('}' (code 125)): was expecting double-quote to start field name"],
  ['[1, {"a": [', 'Unexpected end-of-input within/between Array entries'],
  ['[1 2]', "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries"],
  ['{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value"],
  ['{"a": "b', 'Unexpected end-of-input: was expecting closing quote for a string value'],
  ['[]]', 'Unexpected content after the end of the JSON value'],
])('%s', (text, words) => {
  expect(() => JSON.parse(text)).toThrow();
  expect(parserWords(text)).toBe(words);
});

it('says it of strings of megabytes too', () => {
  const long = `\\"${'b'.repeat(10_000_000)}`;
  expect(parserWords(`{"a": "${long}`)).toBe('Unexpected end-of-input: was expecting closing quote for a string value');
  expect(parserWords(`{"a": "${long}", }`)).toBe(
    "Unexpected character ('}' (code 125)): was expecting double-quote to start field name",
  );
});
