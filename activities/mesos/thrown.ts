/**
 * Reads what was thrown. Not with `instanceof`: an error of Node itself is of another realm when the code runs in a
 * vm context, as it does under Jest.
 */

/** Node's code, such as `ENOENT`; undefined when it has none. */
export function codeOf(thrown: unknown): string | undefined {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : undefined;
}

/** What it says; some of Node's network errors say nothing but their code. */
export function textOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('message' in thrown)) return String(thrown);
  return String(thrown.message) || (codeOf(thrown) ?? String(thrown));
}

/** As the cause of another error. */
export function causeOf(thrown: unknown): Error | undefined {
  return typeof thrown === 'object' && thrown !== null && 'message' in thrown && 'stack' in thrown
    ? (thrown as Error)
    : undefined;
}
