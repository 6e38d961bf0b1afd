/** One rollback at a time, and what is seen of it from outside. */
import type { ReleaseView } from '../../domain/release.ts';
import { expectOutcome, type Stage } from './stage.ts';

/** One rollback, in ms. */
export interface Round {
  /** From a person's order, as it is sent, to all traffic verified on the revision that shall serve. */
  readonly toTraffic: number;
  /** The same from where the engine decides, which is right after it has taken the order. */
  readonly decisionToTraffic: number;
  /** From the order to everything restored. */
  readonly toDone: number;
  /** From the order to the last request that a client sent and the revision gone away from answered; NaN if none was. */
  readonly toLastRequest: number;
  /** From the making of the app that shall serve to its last instance's first good health check; 0 where it was warm. */
  readonly containerStart: number;
}

/** The newer bundle comes, bakes, and is rolled back while the old instances are there. */
export async function warmRound(stage: Stage, key: string): Promise<Round> {
  const gone = await comeWith(stage, key);
  const { view, orderedAt } = await stage.rollBack(key);
  const round = await roundOf(stage, view, orderedAt, gone);
  await stage.liftVeto();
  return { ...round, containerStart: 0 };
}

/** The newer bundle comes and is released; the old instances end. Then the earlier bundle is gone back to. */
export async function coldRound(stage: Stage, key: string): Promise<Round> {
  const gone = await comeWith(stage, key);
  expectOutcome(await stage.endBake(key), 'released');
  const { view, orderedAt } = await stage.rollBack(key);
  const round = await roundOf(stage, view, orderedAt, gone);
  const containerStart = (await stage.revisions()).at(-1)?.startMs ?? Number.NaN;
  await stage.liftVeto();
  return { ...round, containerStart };
}

/** @returns the revision that bakes */
async function comeWith(stage: Stage, key: string): Promise<string> {
  await stage.releaseNewer(key);
  const newest = (await stage.revisions()).at(-1);
  if (newest === undefined) throw new Error(`nothing runs of ${key}`);
  return newest.name;
}

async function roundOf(
  { clients }: Stage,
  view: ReleaseView,
  orderedAt: number,
  gone: string,
): Promise<Omit<Round, 'containerStart'>> {
  expectOutcome(view, 'rolled-back');
  const [rollback] = view.rollbacks;
  const since = (from: number, to: string | undefined) => (to === undefined ? Number.NaN : Date.parse(to) - from);
  const { byRevision } = await clients.report();
  return {
    toTraffic: since(orderedAt, rollback?.trafficAt),
    decisionToTraffic: since(Date.parse(rollback?.decidedAt ?? ''), rollback?.trafficAt),
    toDone: since(orderedAt, rollback?.doneAt),
    toLastRequest: (byRevision[gone]?.lastSentAt ?? Number.NaN) - orderedAt,
  };
}
