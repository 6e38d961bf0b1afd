/** One place where what Marathon stored is not what was wanted. */
export interface DefinitionDifference {
  /** Such as `container.docker.image` or `env.COLOUR`. */
  readonly path: string;
  readonly wanted: unknown;
  readonly stored: unknown;
}

/**
 * Compares the app that was wanted with the one Marathon holds. Marathon adds fields of its own, fills in defaults,
 * leaves empty collections out, gives sets in any order and assigns a service port where 0 was sent: none of that is a
 * difference. `env` and `labels` must be equal to the last entry. The number of instances is not part of a definition.
 */
export function definitionDifferences(wanted: object, stored: object): readonly DefinitionDifference[] {
  const found: DefinitionDifference[] = [];
  for (const [field, value] of Object.entries(wanted)) {
    if (field === 'instances') continue;
    compare(value, Reflect.get(stored, field), field, found);
  }
  return found;
}

/** Fields that Slipway never sets and that change what an instance does: somebody else has. */
const NEVER_SET = ['cmd', 'args', 'user', 'fetch', 'secrets', 'dependencies', 'residency'];

/** Where a revision's app is not what Slipway made it, by path: what differs, and what was added that changes what runs. */
export function editedFields(wanted: object, stored: object): readonly string[] {
  const added = NEVER_SET.filter((field) => !Reflect.has(wanted, field) && !isEmpty(Reflect.get(stored, field)));
  return [...definitionDifferences(wanted, stored).map(({ path }) => path), ...added];
}

/** Maps where an entry more is a difference too. */
const CLOSED_MAPS = new Set(['env', 'labels']);
/** Lists that are sets: Marathon changes their order from answer to answer. */
const SETS = new Set(['constraints']);

function compare(wanted: unknown, stored: unknown, path: string, found: DefinitionDifference[]): void {
  if (isEmpty(wanted) && isEmpty(stored)) return;
  if (Array.isArray(wanted) && Array.isArray(stored) && wanted.length === stored.length) {
    const [left, right] = SETS.has(path) ? [sorted(wanted), sorted(stored)] : [wanted, stored];
    for (const [index, item] of left.entries()) compare(item, right[index], `${path}[${index}]`, found);
    return;
  }
  if (isRecord(wanted) && isRecord(stored)) {
    const names = CLOSED_MAPS.has(path)
      ? new Set([...Object.keys(wanted), ...Object.keys(stored)])
      : Object.keys(wanted);
    for (const name of names) compare(wanted[name], stored[name], `${path}.${name}`, found);
    return;
  }
  // A service port that Marathon was asked to choose.
  if (wanted === 0 && typeof stored === 'number' && /^portDefinitions\[\d+\]\.port$/.test(path)) return;
  if (wanted === stored) return;
  found.push(path.startsWith('env') ? hidden(path, wanted, stored) : { path, wanted, stored });
}

/** Values of environment variables may be secrets and the difference goes into histories and logs. */
function hidden(path: string, wanted: unknown, stored: unknown): DefinitionDifference {
  return {
    path,
    wanted: isEmpty(wanted) ? '(none)' : '(hidden)',
    stored: isEmpty(stored) ? '(none)' : '(hidden, different)',
  };
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(list: readonly unknown[]): readonly unknown[] {
  return list.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
