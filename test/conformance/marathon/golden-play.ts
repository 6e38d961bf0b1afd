import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../../integration/mesos-until.ts';
import { ask } from './asking.ts';
import { capacities } from './capacity.ts';
import { comparable } from './comparable.ts';
import { certain, differences, isChance, isSame, judged, withoutListed } from './differences.ts';
import { milestones, type TakenEvent, tally, threads, withoutEarlyFailures } from './event-record.ts';
import { type GoldenRecord, goldenNamed } from './golden-record.ts';
import { Replay } from './replay.ts';
import { atRestBefore, recordedSample, sampled } from './samples.ts';
import { type Stage, type StageAgent, type StageOptions, startStage } from './stage.ts';

/** The recorder's three agents. */
export const AGENTS: readonly StageAgent[] = [
  { name: 'agent1', attributes: 'env:fat;rack:r1', firstPort: 23_100 },
  { name: 'agent2', attributes: 'env:uat;rack:r2', firstPort: 23_200 },
  { name: 'agent3', attributes: 'env:prod;rack:r2', firstPort: 23_300 },
];
/** Calls to Mesos take so long, as they did for the recorder on its slow machine. */
const MESOS_DELAY_MS = 100;
/** Of an app whose events are all told. */
const SAME_SAMPLE_MS = 20_000;
/** An engine takes its time, more so while others start too. */
const PREPARED_WITHIN_MS = 120_000;

export interface GoldenOptions {
  readonly stage?: Partial<StageOptions>;
  /** What must be there before the stage is, and what of it the stage must know. */
  readonly prepare?: () => Promise<{ readonly stage: Partial<StageOptions>; stop(): Promise<void> }>;
  /** What the recorder did at a step that is a note. */
  readonly onNote?: (note: string, stage: Stage) => Promise<void>;
  /** Of steps asked in the midst of something, by index: up to when events are waited for, on the record's clock. */
  readonly awaitedUntil?: Readonly<Record<number, number>>;
  /** Texts of the record, such as commands, and what stands for them here. */
  readonly texts?: () => Readonly<Record<string, string>>;
  /** What must be so before a step's request. */
  readonly before?: (index: number, stage: Stage) => Promise<void>;
  /** The recorder deleted each app that it had created before it went on, without writing it down. */
  readonly deletesCreated?: boolean;
}

/** Tests that the cell says what a record says: one test for each answer, one for the events. */
export function playGolden(name: string, options: GoldenOptions = {}): void {
  const whole = goldenNamed(name);
  const events = whole.events.filter(({ event, data }) => !isChance(name, { eventType: event, data }));
  const record = { ...whole, events };
  const listed = differences(name, 'events');
  describe(name, () => {
    let stage: Stage;
    let replay: Replay;
    const both = () => ({
      happened: certain(name, replay.events),
      recorded: certain(name, replay.recordedEvents()),
    });
    let prepared: Awaited<ReturnType<NonNullable<GoldenOptions['prepare']>>> | undefined;

    beforeAll(async () => {
      prepared = await options.prepare?.();
      stage = await startStage({
        agents: AGENTS,
        mesosDelayMs: MESOS_DELAY_MS,
        ...options.stage,
        ...prepared?.stage,
        marathon: { profile: name.startsWith('v1.9-') ? '1.9' : '1.11', ...options.stage?.marathon },
      });
      replay = await Replay.on(stage, record);
      for (const [theirs, ours] of Object.entries(options.texts?.() ?? {})) replay.parts.pair(theirs, ours);
    }, PREPARED_WITHIN_MS);

    afterAll(async () => {
      replay?.stop();
      await stage?.stop();
      await prepared?.stop();
    });

    async function restsAsSampled(t: number): Promise<void> {
      const samples = atRestBefore(record, t);
      if (samples.length > 0) await replay.caughtUp(t);
      for (const sample of samples) {
        const { known } = replay.parts;
        const wanted = comparable(replay.parts.translated(recordedSample(sample)), known);
        const deadline = Date.now() + SAME_SAMPLE_MS;
        let got: unknown;
        do {
          got = comparable(await sampled(stage.url, sample.app), known);
        } while (!isDeepStrictEqual(got, wanted) && Date.now() < deadline);
        expect([sample.app, sample.t, got]).toEqual([sample.app, sample.t, wanted]);
      }
    }

    it.each(titled(record))('$title', async ({ index, step }) => {
      if (!step.request) {
        await options.onNote?.(step.note ?? '', stage);
        return;
      }
      await options.before?.(index, stage);
      if (step.request.method !== 'GET') await restsAsSampled(step.t);
      const listedHere = differences(name, index);
      const compared = await replay.play(
        { ...step, t: options.awaitedUntil?.[index] ?? step.t },
        { same: (answer) => isSame(answer, listedHere) },
      );
      if (options.deletesCreated) await deleteApps(stage.url);
      const { got, wanted } = judged(compared, listedHere);
      expect(got).toEqual(wanted);
    });

    if (record.events.length > 0) {
      it('tells the same events', async () => {
        await replay.caughtUp();
        const { known } = replay.parts;
        const { happened, recorded } = both();
        const [ours, theirs] = [happened, recorded].map(withoutEarlyFailures);
        const told = (events: readonly TakenEvent[] = []) => [...tally(events, known)].toSorted();
        const { got, wanted } = judged({ got: told(ours), wanted: told(theirs) }, listed);
        expect(got).toEqual(wanted);
        // What is listed is left out of its thread; everything else of it keeps its order.
        const inOrder = (events: readonly TakenEvent[] = []) => threads(withoutListed(events, listed, known), known);
        expect(inOrder(ours)).toEqual(inOrder(theirs));
      });

      if (record.samples.length > 0) {
        it('comes to rest as it was sampled', async () => {
          await restsAsSampled(Number.POSITIVE_INFINITY);
        });
      }

      it('tells what a deployment waited for before it tells that it goes on', () => {
        const { happened, recorded } = both();
        const passed = (events: readonly TakenEvent[]) => milestones(withoutListed(events, listed, replay.parts.known));
        expect(passed(happened)).toEqual(passed(recorded));
      });

      it('keeps as many instances running in each deployment, and lets as many be there', () => {
        const { happened, recorded } = both();
        const kept = (events: readonly TakenEvent[]) => capacities(withoutListed(events, listed, replay.parts.known));
        expect(kept(happened)).toEqual(kept(recorded));
      });
    }
  });
}

async function deleteApps(url: string): Promise<void> {
  await ask(url, { method: 'DELETE', path: '/v2/groups?force=true' });
  await until('nothing is deployed', 30_000, async () => {
    const { body } = await ask(url, { method: 'GET', path: '/v2/deployments' });
    return Array.isArray(body) && body.length === 0;
  });
}

function titled(record: GoldenRecord) {
  return record.steps.map((step, index) => {
    const { request, note } = step;
    const asked = request ? `${request.method} ${request.path.slice(0, 80)}` : 'the recorder:';
    return { title: `${index} ${asked}${note === undefined ? '' : ` ${note.slice(0, 80)}`}`, index, step };
  });
}
