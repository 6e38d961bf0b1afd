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
/** The recorder read the version that a refused change had left, and went back to it. */
const GHOST = '2026-11-22T10:05:36.480Z';

/** The recorder's executor told of TASK_KILLING; a framework that does not ask for it, as 1.11, is told nothing. */
const isKilling = ({ data }: RecordedEvent) => data['taskStatus'] === 'TASK_KILLING' || data['condition'] === 'Killing';
const events = recordedEvents('event-stream-1.8.244').filter((event) => !isKilling(event));
const refused = ({ event, data }: RecordedEvent) => (event === 'group_change_failed' ? [String(data['version'])] : []);

const plain = ({ eventType, data }: TakenEvent): TakenEvent => ({
  eventType,
  data: withoutSystematic(NAME, data) as TakenEvent['data'],
});

playRecorded(
  recordOf(NAME, recordedSteps('lifecycle-1.8.244'), events),
  {
    marathon: { profile: '1.9' },
    before: async (note, { replay }) => {
      if (note !== 'one version') return;
      const ours = replay.events.map(({ eventType, data }) => ({ t: 0, event: eventType, data })).flatMap(refused);
      replay.parts.pairKnown(GHOST, ours[events.flatMap(refused).indexOf(GHOST)] ?? '');
    },
  },
  (played) => {
    it('tells the same events of each deployment and each instance, in the same order', async () => {
      const { replay } = played;
      await until('the last task is gone', 30_000, () =>
        replay.events.some(({ eventType }) => eventType === 'app_terminated_event'),
      );
      const [ours, theirs] = [replay.events.map(plain), replay.recordedEvents().map(plain)];
      expect(likeness(ours, theirs, replay.parts.known)).toEqual(ALIKE);
    });
  },
);
