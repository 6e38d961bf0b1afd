/** Ids of apps and groups: absolute paths such as `/prod/web`. */

/** Of one segment (RAML type `PathId`), as Marathon cites it. */
export const SEGMENT_PATTERN =
  '^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$';

/** Of one name in an id: a host name of lower case letters, digits and dashes. */
const NAME_PATTERN = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/**
 * Whether it is an id, relative or absolute (RAML type `PathId`). Slashes may be doubled. Looked at name by name: the one
 * expression of the RAML takes twice as long for each two slashes more.
 */
export function isPathId(id: string): boolean {
  return id !== '' && id.split('/').every((name) => name === '' || name === '..' || NAME_PATTERN.test(name));
}

/** The absolute form of an id that may be relative to a group; `.`, `..` and doubled slashes are resolved. */
export function resolvePath(id: string, base = '/'): string {
  const segments = id.startsWith('/') ? [] : base.split('/').filter(Boolean);
  for (const segment of id.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}`;
}

/** `/a` for `/a/b`, `/` for `/a`. */
export function parentPath(id: string): string {
  return id.slice(0, Math.max(1, id.lastIndexOf('/')));
}

/** `b` for `/a/b`. */
export function lastSegment(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

/** True when `id` is below `group`; nothing is below itself. */
export function isBelow(id: string, group: string): boolean {
  return group === '/' ? id !== '/' : id.startsWith(`${group}/`);
}

/** `a_b` for `/a/b`, as in task ids. Ids have no underscore, so it can be turned back. */
export function safePath(id: string): string {
  return id.slice(1).replaceAll('/', '_');
}

/** `b.a` for `/a/b`, as in names of tasks. */
export function hostName(id: string): string {
  return id.split('/').filter(Boolean).toReversed().join('.');
}
