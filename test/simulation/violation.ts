/** Something that did not hold, and when. */
export interface Violation {
  readonly invariant: string;
  readonly says: string;
  readonly at: string;
}
