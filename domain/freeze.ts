/** Which part of the world a freeze stops: one environment, one service, one service in one environment, or all. */
export interface FreezeScope {
  readonly environment?: string;
  readonly service?: string;
}

/** A stop for forward moves; never for a rollback. */
export interface Freeze {
  /** Short, as people type it to lift it. */
  readonly id: string;
  readonly scope: FreezeScope;
  readonly by: string;
  readonly reason: string;
  /** ISO 8601: since when, and until when; without `until` it lasts until somebody lifts it. */
  readonly at: string;
  readonly until?: string;
}

/** The freezes as one workflow knows them: a later list has a higher number, whichever way it came. */
export interface FreezeList {
  readonly number: number;
  readonly freezes: readonly Freeze[];
}

/** True when the freeze may be about the service at all, in whatever environment. */
export function concernsService({ scope }: Freeze, service: string): boolean {
  return scope.service === undefined || scope.service === service;
}

/**
 * The freeze that stops this effect now; of several the one that lasts longest. An effect outside every environment,
 * such as a build, is stopped only by freezes that name none.
 *
 * @param environment where the effect takes place; undefined for one that takes place in none
 * @param at ISO 8601
 */
export function freezeFor(
  freezes: readonly Freeze[],
  { environment, service }: { readonly environment: string | undefined; readonly service: string },
  at: string,
): Freeze | undefined {
  return freezes
    .filter((freeze) => concernsService(freeze, service))
    .filter(({ scope }) => scope.environment === undefined || scope.environment === environment)
    .filter((freeze) => !isOver(freeze, at))
    .reduce<Freeze | undefined>(
      (longest, freeze) => (longest && endOf(longest) >= endOf(freeze) ? longest : freeze),
      undefined,
    );
}

/** Those that stop something of a service on its way through these environments. */
export function freezesOn(
  freezes: readonly Freeze[],
  { environments, service }: { readonly environments: readonly string[]; readonly service: string },
): readonly Freeze[] {
  return freezes
    .filter((freeze) => concernsService(freeze, service))
    .filter(({ scope }) => scope.environment === undefined || environments.includes(scope.environment));
}

/** What is frozen, by whom and why, in one sentence. */
export function freezeSentence({ by, id, reason, scope }: Freeze): string {
  return `${scopeText(scope)} is frozen by ${by}: ${reason} (${id})`;
}

/** True once its time has come; one without a time is over only when somebody lifts it. */
export function isOver(freeze: Freeze, at: string): boolean {
  return endOf(freeze) <= Date.parse(at);
}

/** When the first of them is over by itself, ISO 8601; undefined when none will be. */
export function firstEnd(freezes: readonly Freeze[]): string | undefined {
  const first = Math.min(...freezes.map(endOf));
  return Number.isFinite(first) ? new Date(first).toISOString() : undefined;
}

/** The scope in words, such as `sample in prod` or `everything`. */
export function scopeText({ environment, service }: FreezeScope): string {
  if (environment === undefined) return service ?? 'everything';
  return service === undefined ? `everything in ${environment}` : `${service} in ${environment}`;
}

function endOf({ until }: Freeze): number {
  return until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until);
}
