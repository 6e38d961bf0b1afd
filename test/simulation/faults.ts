import type { Chance } from './chance.ts';

/**
 * What goes wrong with one call to a system: refused before or after it was done, the connection cut before or after, no
 * answer before or after, or done only once the caller has looked again.
 */
export const FAULTS = [
  '503-before',
  '503-applied',
  'cut-before',
  'cut-applied',
  'silent-before',
  'silent-applied',
  'late',
] as const;

export type Fault = (typeof FAULTS)[number];

/** How rough a world is. */
export interface Weather {
  /** Share of calls with which something goes wrong. */
  readonly share: number;
  /** Systems that are away for a while: from the n-th call on, for so many calls. */
  readonly outages: readonly Outage[];
}

export interface Outage {
  readonly system: string;
  readonly from: number;
  readonly calls: number;
}

export const CALM: Weather = { share: 0, outages: [] };

/** A silent call costs the time that the client waits, on the wall, so these are rare. */
const KINDS: readonly (readonly [number, Fault])[] = [
  [30, '503-before'],
  [30, '503-applied'],
  [16, 'cut-before'],
  [16, 'cut-applied'],
  [1, 'silent-before'],
  [1, 'silent-applied'],
  [8, 'late'],
];

/** Whether the system answers nobody. @param systemCall how many calls it has had */
export function isAway(
  { outages }: Weather,
  { system, systemCall }: { readonly system: string; readonly systemCall: number },
): boolean {
  return outages.some(
    (outage) => outage.system === system && systemCall >= outage.from && systemCall < outage.from + outage.calls,
  );
}

/**
 * What goes wrong with the n-th call of a route. Pure: the same seed, route and number give the same, whatever other
 * calls come in between.
 *
 * @param systemCall how many calls the system has had
 */
export function faultOf(
  chance: Chance,
  weather: Weather,
  call: { readonly system: string; readonly route: string; readonly nth: number; readonly systemCall: number },
): Fault | undefined {
  const { route, nth } = call;
  if (isAway(weather, call)) return '503-before';
  if (!chance.hits(`fault of ${route} ${nth}`, weather.share)) return undefined;
  return chance.weighted(`kind of fault of ${route} ${nth}`, KINDS);
}
