import { type Difference, type Expected, toleranceOf } from './drift.ts';
import type { LaneState, RevisionRecord, ScaleBounds } from './lane.ts';

/** Fields of an edited app as they are now, by revision and Marathon name: what the lane takes over when it adopts. */
export type Edits = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** One thing to do so that all is again as Slipway made it. */
export type Correction =
  /** The app is made anew, as it was. */
  | { readonly kind: 'create'; readonly revision: string; readonly instances: number }
  | { readonly kind: 'scale'; readonly revision: string; readonly instances: number }
  /** Apps are never edited, also not back: the same bundle goes out as a fresh revision, which takes all over. */
  | { readonly kind: 'replace'; readonly revision: string }
  | { readonly kind: 'traffic' }
  | { readonly kind: 'config'; readonly version: number }
  | { readonly kind: 'bounds'; readonly bounds: ScaleBounds | null }
  | { readonly kind: 'remove'; readonly app: string };

const ORDER: readonly Correction['kind'][] = ['create', 'scale', 'replace', 'traffic', 'config', 'bounds', 'remove'];

/** What puts everything back, in the order in which it is to be done: capacity before traffic, and what goes last. */
export function corrections(expected: Expected, found: readonly Difference[]): readonly Correction[] {
  const all = found.flatMap((difference) => correctionsOf(expected, difference));
  const replaces = all.some(({ kind }) => kind === 'replace');
  const once = all.filter(({ kind }, index) => {
    if (kind !== 'traffic') return true;
    return !replaces && all.findIndex((other) => other.kind === 'traffic') === index;
  });
  return once.toSorted((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind));
}

/** Which fields of which revision must be read before `adopted` can take them over, by their Marathon names. */
export function fieldsToRead(found: readonly Difference[]): readonly { revision: string; fields: readonly string[] }[] {
  return found.flatMap((difference) => {
    if (difference.kind !== 'edited') return [];
    const fields = new Set(difference.fields.map((path) => /^[^.[]+/.exec(path)?.[0] ?? path));
    return [{ revision: difference.revision, fields: [...fields] }];
  });
}

/**
 * What the lane knows once it has taken over what was found: from then on this is how it shall be. An edited app stays
 * as it is and is started so again; one that was deleted can be gone back to.
 */
export function adopted(state: LaneState, found: readonly Difference[], edits: Edits): LaneState {
  let next = state;
  for (const difference of found) next = adoptOne(next, difference, edits);
  const tolerated = [...new Set([...(state.tolerated ?? []), ...found.flatMap(toleranceOf)])];
  return tolerated.length === 0 ? next : { ...next, tolerated };
}

function correctionsOf(expected: Expected, difference: Difference): readonly Correction[] {
  switch (difference.kind) {
    case 'scaled':
      return [{ kind: 'scale', revision: difference.revision, instances: difference.wanted }];
    case 'deleted':
      // Its servers are new ones: that they serve is seen by setting the traffic.
      return [
        { kind: 'create', revision: difference.revision, instances: difference.wanted },
        ...((expected.weights[difference.revision] ?? 0) > 0 ? [{ kind: 'traffic' } as const] : []),
      ];
    case 'edited':
      return [{ kind: 'replace', revision: difference.revision }];
    case 'unknown-app':
      return [{ kind: 'remove', app: difference.app }];
    case 'traffic':
    case 'traffic-deleted':
    case 'server-weights':
      return [{ kind: 'traffic' }];
    case 'config':
      return [{ kind: 'config', version: difference.wanted }];
    case 'bounds':
      return [{ kind: 'bounds', bounds: difference.wanted }];
  }
}

function adoptOne(state: LaneState, difference: Difference, edits: Edits): LaneState {
  const { current } = state;
  switch (difference.kind) {
    case 'scaled':
      return current === undefined ? state : { ...state, current: { ...current, instances: difference.found } };
    case 'deleted': {
      const { current: gone, ...rest } = state;
      if (gone === undefined) return state;
      return {
        ...rest,
        earlier: [gone, ...(state.earlier ?? []).filter(({ bundle }) => bundle.id !== gone.bundle.id)],
      };
    }
    case 'edited':
      return current === undefined ? state : { ...state, current: withEdits(current, edits[current.revision] ?? {}) };
    case 'traffic':
      return { ...state, weights: difference.found };
    case 'traffic-deleted':
      return { ...state, weights: {} };
    case 'config':
      return { ...state, configVersion: difference.found };
    case 'bounds': {
      const { bounds: _, ...rest } = state;
      return difference.found === null ? rest : { ...rest, bounds: difference.found };
    }
    case 'unknown-app':
    case 'server-weights':
      return state;
  }
}

function withEdits(record: RevisionRecord, edits: Readonly<Record<string, unknown>>): RevisionRecord {
  return { ...record, spec: { ...record.spec, edited: { ...record.spec.edited, ...edits } } };
}
