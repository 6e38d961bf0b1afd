/** What to do while another release holds a lane: stand in the queue, be refused, or take the place of all that wait. */
export type WhenBusy = 'wait' | 'refuse' | 'supersede';

/** Who asks for a lane. */
export interface Asking {
  /** Workflow id. */
  readonly holder: string;
  readonly whenBusy: WhenBusy;
  /** On a way back: goes before all that go forward, and nobody takes its place. */
  readonly back?: boolean;
}

/** What becomes of the queue when somebody asks, and who is to be told. */
export interface Lineup<A extends Asking> {
  readonly queue: readonly A[];
  /** Asked while it holds the lane, or asked not to wait: gets its answer at once. */
  readonly answerNow: boolean;
  /** Those whose place was taken. */
  readonly superseded: readonly A[];
  /** The holder is to be told that it was superseded, and may end by itself. */
  readonly tellHolder: boolean;
}

/**
 * Lines up a release that asks for a lane. Asked again by the same release it changes nothing.
 *
 * @param lane who holds it, who waits, and whether a hand-made change is open, which stops all that go forward
 */
export function lineUp<A extends Asking>(
  request: A,
  lane: { readonly holder?: string | undefined; readonly queue: readonly A[]; readonly drifts: boolean },
): Lineup<A> {
  const { holder, queue } = lane;
  const nothing: Lineup<A> = { queue, answerNow: false, superseded: [], tellHolder: false };
  if (holder === request.holder) return { ...nothing, answerNow: true };
  if (queue.some((queued) => queued.holder === request.holder)) return nothing;
  const back = queue.filter((queued) => queued.back === true);
  const forward = queue.filter((queued) => queued.back !== true);
  if (request.back) return { ...nothing, queue: [...back, request, ...forward] };
  if (request.whenBusy === 'refuse' && (holder !== undefined || lane.drifts)) return { ...nothing, answerNow: true };
  if (request.whenBusy !== 'supersede') return { ...nothing, queue: [...queue, request] };
  return { queue: [...back, request], answerNow: false, superseded: forward, tellHolder: holder !== undefined };
}
