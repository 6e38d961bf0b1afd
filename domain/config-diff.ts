/** How the configuration that is to come differs from the one that serves. Names of keys only: values may be secrets. */
export interface ConfigDiff {
  /** Versions in the config centre; `from` is 0 where none serves, `to` where none is to. */
  readonly from: number;
  readonly to: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** More names than this of a kind are counted only. */
const MOST_NAMED = 100;

/** Key of a text that has none. */
const WHOLE = '(text)';

/**
 * Compares two texts of a configuration by key: the leaves of a JSON object, or else what begins with `key:` or `key=` at
 * the start of a line, up to the next of these. A text without keys is one value. Comments count for nothing.
 *
 * @param before undefined where there was none
 */
export function diffConfig(
  before: string | undefined,
  after: string,
): Pick<ConfigDiff, 'added' | 'removed' | 'changed'> {
  const [old, next] = [before === undefined ? new Map<string, string>() : valuesOf(before), valuesOf(after)];
  const named = (names: string[]) => {
    const more = names.length - MOST_NAMED;
    const first = names.sort().slice(0, MOST_NAMED);
    return more > 0 ? [...first, `(${more} more)`] : first;
  };
  return {
    added: named([...next.keys()].filter((key) => !old.has(key))),
    removed: named([...old.keys()].filter((key) => !next.has(key))),
    changed: named([...next].filter(([key, value]) => old.has(key) && old.get(key) !== value).map(([key]) => key)),
  };
}

function valuesOf(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const parsed = parseJson(text);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
    collectLeaves(parsed, '', values);
    return values;
  }
  let key: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name, rest = ''] = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*[:=](.*)$/.exec(line) ?? [];
    if (name === undefined) values.set(key ?? WHOLE, `${values.get(key ?? WHOLE) ?? ''}\n${line}`);
    else values.set(name, rest.trim());
    key = name ?? key;
  }
  return values;
}

function collectLeaves(value: object, path: string, into: Map<string, string>): void {
  for (const [name, member] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`;
    const nested = typeof member === 'object' && member !== null && !Array.isArray(member);
    if (nested && Object.keys(member).length > 0) collectLeaves(member, at, into);
    else into.set(at, JSON.stringify(member));
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: then its lines are looked at.
    return undefined;
  }
}
