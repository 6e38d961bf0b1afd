import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { z } from 'zod';
import type { ProfileName } from '../../../cell/marathon/profile.ts';
import { until } from '../../integration/mesos-until.ts';
import { offer, withhold } from './agent-offers.ts';
import { ask } from './asking.ts';
import type { TakenEvent } from './event-record.ts';
import { atRest, type Played, playRecorded } from './recorded-play.ts';
import { type RecordedEvent, recordedEvents, recordedPart, recordedSteps, recordOf } from './recorded-record.ts';
import { ALIKE, likeness } from './thread-likeness.ts';

/**
 * What a real Marathon answered to deployments that can not succeed, health and readiness checks, crashes,
 * constraints and groups, and what it told meanwhile, played again on the cell with real tasks and shorter seconds.
 */

const SECOND_MS = 250;

/** What the bad version's check looks for. */
const ASKED_OF_THE_BAD = 'missing';
/** The step before which a task has written down its environment. */
const ENVIRONMENT_TOLD = 14;

/** The recorder asked for these when the deployment before was over. */
const AT_REST: ReadonlySet<string> = new Set([
  'impossible again',
  'bad update',
  'readiness update',
  'scaleBy',
  'group create',
  'group rollback',
  'group put without apps',
  'empty put',
  'group delete',
]);

let letMesosGo = () => {};
let letStoreGo = () => {};
/** How many events had come before a step. */
const heard = new Map<string, number>();
/** Seconds left of the crashing app's delay, from look to look. */
const delays: number[] = [];

/** How one release was recorded. */
export interface ScenariosOptions {
  /** Such as `1.7.236`. */
  readonly release: string;
  readonly profile: ProfileName;
  /** Groups left over from what the recorder had done before. */
  readonly groups: readonly string[];
  /** From one step to another, by index, the recorder saw what was under way; here no call gets to Mesos meanwhile. */
  readonly held: readonly (readonly [from: number, to: number])[];
  /**
   * From one step to another, by index, the recorder saw nothing of what was to start; here nothing is offered then.
   * The bad version started after that, and was ended before its checks could fail. Here servers may take long to start
   * and it would live longer, so there is what it is asked for.
   */
  readonly withheld?: readonly [from: number, to: number];
  /** Apps whose events are comparable, with the parts of the record that tell of them and the step that ends these. */
  readonly told: readonly {
    readonly app: string;
    readonly parts: readonly string[];
    readonly end: string;
    /** Types of events that are not comparable. */
    readonly without?: readonly string[];
  }[];
  /** From one step to another, by index, the recorder saw what was yet to be stored. */
  readonly unstored?: readonly [from: number, to: number];
  /** Versions of what was undone first, and later, where the profile has but one for both. */
  readonly undone?: readonly [first: string, later: string];
  /** Whether the delays of the crashing app are comparable. */
  readonly delays: boolean;
}

async function before(options: ScenariosOptions, note: string, played: Played, index: number): Promise<void> {
  const { stage, replay } = played;
  if (!heard.has(note)) heard.set(note, replay.events.length);
  if (index === 0) {
    for (const id of options.groups) await ask(stage.url, { method: 'POST', path: '/v2/groups', body: { id } });
  }
  const [unstoredFrom, unstoredTo] = options.unstored ?? [];
  if (index === unstoredTo) letStoreGo();
  if (index === unstoredFrom) letStoreGo = stage.holdStore();
  const [withheldFrom, withheldTo] = options.withheld ?? [];
  if (index === withheldFrom) await withhold(stage, 'agent1');
  if (index === withheldTo) {
    writeFileSync(join(played.folder, ASKED_OF_THE_BAD), '');
    await offer(stage, 'agent1');
  }
  if (options.undone && note === 'roll the bad update back') {
    const [first, later] = options.undone;
    replay.parts.pair(later, replay.parts.translate(first));
  }
  if (options.held.some(([, to]) => to === index)) letMesosGo();
  if (AT_REST.has(note)) await atRest(played);
  if (index === ENVIRONMENT_TOLD) {
    await until('the task has written down its environment', 30_000, () => existsSync(join(played.folder, 'env.txt')));
  }
  if (note === 'crash app') await watchDelays(played);
  if (options.held.some(([from]) => from === index)) letMesosGo = stage.holdMesos();
}

const queueShape = z.looseObject({
  queue: z.array(z.looseObject({ delay: z.object({ timeLeftSeconds: z.number() }) })),
});

/** Looks until the app has crashed for the fourth time and its fourth delay has begun. */
async function watchDelays({ stage, replay }: Played): Promise<void> {
  await until('it has crashed four times', 20_000, async () => {
    const failed = replay.events.filter(({ data }) => data['taskStatus'] === 'TASK_FAILED' && ofApp('/d/crash')(data));
    const { queue } = queueShape.parse((await ask(stage.url, { method: 'GET', path: '/v2/queue' })).body);
    delays.push(queue[0]?.delay.timeLeftSeconds ?? 0);
    return failed.length >= 4 && (delays.at(-1) ?? 0) > 0;
  });
}

/** The longest of each delay. */
function longest(seconds: readonly number[]): readonly number[] {
  return seconds.filter((now, index) => now > (seconds[index - 1] ?? 0));
}

/** How many ms the crashing app waited after its failure of this index for the next start. */
function waited({ replay }: Played, index: number): number {
  const updates = replay.events.filter(({ data }) => data['taskStatus'] !== undefined && ofApp('/d/crash')(data));
  const failed = updates.filter(({ data }) => data['taskStatus'] === 'TASK_FAILED')[index];
  const next = failed && updates[updates.indexOf(failed) + 1];
  return Date.parse(String(next?.data['timestamp'])) - Date.parse(String(failed?.data['timestamp']));
}

const ofApp = (id: string) => (data: Readonly<Record<string, unknown>>) => JSON.stringify(data).includes(`"${id}"`);

const taken = ({ event, data }: RecordedEvent): TakenEvent => ({ eventType: event, data });

/** Our events about an app before a step, as far as the recorder wrote down such events. */
function ours({ replay }: Played, id: string, end: string, recorded: readonly TakenEvent[]): readonly TakenEvent[] {
  const types = new Set(recorded.map(({ eventType }) => eventType));
  return replay.events
    .slice(0, heard.get(end))
    .filter(({ eventType, data }) => types.has(eventType) && (data['groupId'] !== undefined || ofApp(id)(data)));
}

function translated({ replay }: Played, recorded: readonly RecordedEvent[]): readonly TakenEvent[] {
  return recorded.map(taken).map(({ eventType, data }) => ({
    eventType,
    data: replay.parts.translatedButTasks(data) as TakenEvent['data'],
  }));
}

const server = `'${process.execPath}' '${join(import.meta.dirname, 'file-server.ts')}' $PORT0`;
/** Waits until the server of its folder answers: there that took a fifth of a second, on a busy machine it takes several. */
const LISTENS = 'until [ -e listening ]; do sleep 0.1; done';
const seconds = (count: number) => (count * SECOND_MS) / 1000;
/** Tests that the cell answers and tells what one release did. */
export function playScenarios(options: ScenariosOptions): void {
  const { release, profile } = options;
  const file = `scenario-events-${release}`;
  const told = options.told.map(({ app, parts, end, without = [] }) => ({
    app,
    end,
    recorded: parts
      .flatMap((part) => recordedEvents(file, `events ${part}`))
      .filter(({ event }) => !without.includes(event)),
  }));

  playRecorded(
    recordOf(
      `scenarios of ${release}`,
      recordedSteps(`scenarios-${release}`),
      told.flatMap(({ recorded }) => recorded),
    ),
    {
      marathon: { secondMs: SECOND_MS, profile },
      before: (note, played, index) => before(options, note, played, index),
      momentary: ['crash queue', 'queue after reset', 'prod queue'],
      texts: (folder) => ({
        'exec python3 -m http.server $PORT0': `exec ${server}`,
        'cd /srv/www &&': `cd ${folder} &&`,
        '(sleep 8; rm ok)': `(${LISTENS}; sleep ${seconds(8)}; rm ok)`,
        '(sleep 9; touch ready)': `(${LISTENS}; sleep ${seconds(9)}; touch ready)`,
        // Moved into its place when it is whole.
        'env | sort > env.txt;': `env | sort > ${folder}/env.new; mv ${folder}/env.new ${folder}/env.txt;`,
      }),
    },
    (played) => {
      it.each(told)('tells the same events of $app', ({ app, end, recorded }) => {
        const wanted = translated(played, recorded);
        expect(likeness(ours(played, app, end, wanted), wanted, played.replay.parts.known)).toEqual(ALIKE);
      });

      if (options.delays) {
        it('delays the starts of an app that crashes by as many seconds', () => {
          const recorded = z
            .array(z.tuple([z.number(), z.array(z.tuple([z.number(), z.object({ timeLeftSeconds: z.number() })]))]))
            .parse(recordedPart(file, 'queue delays of a crashing app'))
            .map(([, [first]]) => first?.[1].timeLeftSeconds ?? 0);
          const wanted = longest(recorded);
          expect(wanted).toEqual([1, 3, 7, 15]);
          // A look may come late, so the start after each delay tells how long it was at least, and all looks how long at most.
          for (const [index, most] of wanted.slice(0, -1).entries()) {
            expect(waited(played, index)).toBeGreaterThanOrEqual(seconds(most + 1) * 1000);
          }
          expect(Math.max(...delays)).toBeLessThanOrEqual(wanted.at(-1) ?? 0);
        });
      }

      it('gives a task the same environment', () => {
        const variables = (text: readonly string[]) => {
          const known = text.map((line) => line.split('=', 2) as [string, string]);
          return new Map(
            known.filter(([name]) => /^(HOST|MARATHON_.*|MESOS_(TASK_ID|SANDBOX)|PORT.*|MINE)$/.test(name)),
          );
        };
        const got = variables(readFileSync(join(played.folder, 'env.txt'), 'utf8').split('\n'));
        const wanted = variables(z.array(z.string()).parse(recordedPart(file, 'env')));
        expect([...got.keys()].toSorted()).toEqual([...wanted.keys()].toSorted());
        const [first, second] = [got.get('PORT0'), got.get('PORT1')];
        expect(Object.fromEntries(got)).toMatchObject({
          ...Object.fromEntries([...wanted].filter(([name]) => !/^(PORT|MESOS_|MARATHON_APP_VERSION)/.test(name))),
          PORT: first,
          PORTS: `${first},${second}`,
          PORT_10000: first,
          PORT_HTTP: first,
          PORT_12345: second,
          PORT_ADMIN: second,
          MARATHON_APP_VERSION: played.replay.parts.translate(wanted.get('MARATHON_APP_VERSION') ?? ''),
        });
      });
    },
  );
}
