/** 4xx answers that say nothing against the call itself. */
const PASSING_4XX: ReadonlySet<number> = new Set([408, 409, 423, 425, 429]);

/** True when the same HTTP call may be answered otherwise later: for any 5xx, and for 408, 409, 423, 425 and 429. */
export function mayPass(status: number): boolean {
  return status >= 500 || PASSING_4XX.has(status);
}
