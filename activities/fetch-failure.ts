/**
 * Why a `fetch` got no answer. It says only "fetch failed" or "terminated" and keeps what happened in the cause, whose
 * message may be empty beside a code. Not with `instanceof`: errors of Node itself may be of another realm.
 */
export function fetchFailureReason(error: unknown): string {
  const cause = member(error, 'cause') ?? error;
  return [member(cause, 'message'), member(cause, 'code'), cause].map((said) => String(said ?? '')).find(Boolean) ?? '';
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined;
}
