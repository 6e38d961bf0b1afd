import { FailureType } from './failures.ts';

/**
 * A bundle that was rolled back in an environment does not go there again until a person lifts this. JSON-safe: lanes carry
 * it over continue-as-new.
 */
export interface Veto {
  /** Id of the bundle. */
  readonly bundle: string;
  readonly version: string;
  /** Workflow id of the release, or of the rollback after its end, that went back. */
  readonly release: string;
  /** Why it went back, in one plain sentence. */
  readonly reason: string;
  /** ISO 8601. */
  readonly at: string;
}

/** The veto on a bundle; undefined when it may go. */
export function vetoOn(vetoes: readonly Veto[] | undefined, bundle: string): Veto | undefined {
  return vetoes?.find((veto) => veto.bundle === bundle);
}

/** With a veto more. A bundle that has one already keeps it: the first word says where the trouble was seen first. */
export function withVeto(vetoes: readonly Veto[] | undefined, veto: Veto): readonly Veto[] {
  const known = vetoes ?? [];
  return vetoOn(known, veto.bundle) === undefined ? [...known, veto] : known;
}

/** Without the veto on a bundle. */
export function withoutVeto(vetoes: readonly Veto[] | undefined, bundle: string): readonly Veto[] {
  return (vetoes ?? []).filter((veto) => veto.bundle !== bundle);
}

/** Why a vetoed bundle is refused, and what to do about it, in one sentence. */
export function vetoSentence(environment: string, veto: Veto): string {
  const { at, bundle, reason, release, version } = veto;
  return `${version} (${bundle}) was taken back from ${environment} by ${release} at ${at}: ${reason}; lift the veto or release a new version`;
}

/** Why a veto can't be lifted; undefined when it can. */
export function refuseLift(
  vetoes: readonly Veto[] | undefined,
  bundle: string,
): { readonly type: FailureType; readonly message: string } | undefined {
  if (vetoOn(vetoes, bundle) !== undefined) return undefined;
  const known = (vetoes ?? []).map((veto) => veto.bundle).join(', ');
  return {
    type: FailureType.UnknownVeto,
    message: `there is no veto on ${bundle} here${known === '' ? '' : `; there are on ${known}`}`,
  };
}
