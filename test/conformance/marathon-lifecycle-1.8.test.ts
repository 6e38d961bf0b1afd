import { expect, it, jest } from '@jest/globals';
import { until } from '../integration/mesos-until.ts';
import { withoutSystematic } from './marathon/differences.ts';
import type { TakenEvent } from './marathon/event-record.ts';
import { playRecorded } from './marathon/recorded-play.ts';
import { type RecordedEvent, recordedEvents, recordedSteps, recordOf } from './marathon/recorded-record.ts';
import { ALIKE, likeness } from './marathon/thread-likeness.ts';

/**
 * The life of an app on a real Marathon 1.8.244 (create, lock, scale, update, roll back, restart, kill in all forms,
 * delete) and its event stream meanwhile, played again on profile 1.9.
 */

jest.setTimeout(60_000);

const NAME = 'life on 1.8.244';
const MESOS_DELAY_MS = 150;
/** The recorder went back to a version that a refused change had left, which the cell does not keep. */
const GHOST = '2026-11-22T10:05:36.480Z';
/** What was accepted later and says the same. */
const SAME_AS_GHOST = '2026-11-22T10:05:47.544Z';

/** The recorder's executor told of TASK_KILLING; a framework that does not ask for it, as 1.11, is told nothing. */
const isKilling = ({ data }: RecordedEvent) => data['taskStatus'] === 'TASK_KILLING' || data['condition'] === 'Killing';
/** A ghost in an event is a version that nobody knows, whatever stands for it in requests. */
const withoutGhost = (event: RecordedEvent): RecordedEvent =>
  JSON.parse(JSON.stringify(event).replaceAll(GHOST, GHOST.replace('480', '481')));
const events = recordedEvents('event-stream-1.8.244')
  .filter((event) => !isKilling(event))
  .map(withoutGhost);

const plain = ({ eventType, data }: TakenEvent): TakenEvent => ({
  eventType,
  data: withoutSystematic(NAME, data) as TakenEvent['data'],
});

playRecorded(
  recordOf(NAME, recordedSteps('lifecycle-1.8.244'), events),
  {
    marathon: { profile: '1.9' },
    before: async (note, { stage, replay }, index) => {
      if (index === 0) stage.delayMesos(MESOS_DELAY_MS);
      if (note === 'rollback to version') replay.parts.pair(GHOST, replay.parts.translate(SAME_AS_GHOST));
    },
  },
  (played) => {
    it('tells the same events of each deployment and each instance, in the same order', async () => {
      const { replay } = played;
      await until('the last task is gone', 10_000, () =>
        replay.events.some(({ eventType }) => eventType === 'app_terminated_event'),
      );
      const [ours, theirs] = [replay.events.map(plain), replay.recordedEvents().map(plain)];
      expect(likeness(ours, theirs, replay.parts.known)).toEqual(ALIKE);
    });
  },
);
