/** Holds docs/configuration.md to the configuration it describes. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { parseConfiguration } from '../domain/schemas/config.ts';

const root = dirname(import.meta.dirname);
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** The example with its commented-out settings in force. */
const example: unknown = parse(read('slipway.config.example.yaml').replace(/^( *)# ( *)(?=[a-zA-Z]+:( |$))/gm, '$1$2'));
const documented = [...read('docs/configuration.md').matchAll(/^\| `([^`]+)` *\|/gm)].map(([, key]) => key ?? '');

type Section = Readonly<Record<string, unknown>>;
const isSection = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !('env' in value) && !('file' in value);
const NAMED = ['balancers', 'environments', 'groups', 'services'];
/** Of these each value is a list: there is no name in it that could be wrong. */
const OF_LISTS = ['groups'];
const STRAY = 'stray';

/** The same document with a setting in every section that is none, so that the errors tell what would be one. */
const withStrays = (value: unknown, path: readonly string[] = []): unknown =>
  isSection(value)
    ? Object.fromEntries([
        ...Object.entries(value).map(([key, inner]) => [key, withStrays(inner, [...path, key])]),
        ...(NAMED.includes(path.join('.')) ? [] : [[STRAY, 1]]),
      ])
    : value;

/** Path of every setting that the schema knows, sections apart; the names that people choose become `<name>`. */
function settings(): string[] {
  const sections = (parseConfiguration(withStrays(example)).errors ?? []).map(({ path, message }) => ({
    path: path.split('.').slice(0, -1),
    keys: message.replace(/^.*use one of /, '').split(', '),
  }));
  const paths = sections.flatMap(({ path, keys }) =>
    keys.map((key) =>
      [...path, key].map((part, index, all) => (index === 1 && NAMED.includes(all[0] ?? '') ? '<name>' : part)),
    ),
  );
  const known = [...paths.map((path) => path.join('.')), ...OF_LISTS.map((name) => `${name}.<name>`)];
  return known.filter((path) => !NAMED.includes(path) && !known.some((other) => other.startsWith(`${path}.`)));
}

describe('docs/configuration.md', () => {
  it('describes every setting, and no other', () => {
    expect(parseConfiguration(example).errors).toBeUndefined();
    expect(documented.toSorted()).toEqual([...new Set(settings())].toSorted());
  });
});
