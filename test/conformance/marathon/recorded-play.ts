import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MarathonCellOptions } from '../../../cell/marathon/marathon.ts';
import { freePortBlock } from '../../../local/platform/ports.ts';
import { until } from '../../integration/mesos-until.ts';
import { ask } from './asking.ts';
import { differences, isSame, judged, withoutSystematic } from './differences.ts';
import type { GoldenRecord } from './golden-record.ts';
import { COUNTED } from './known-differences.ts';
import { Replay } from './replay.ts';
import { type Stage, startStage } from './stage.ts';

export interface RecordedOptions {
  readonly marathon?: Partial<MarathonCellOptions>;
  /** What a note of a step calls for before its request. */
  readonly before?: (note: string, played: Played, index: number) => Promise<void>;
  /** Notes of steps whose answer is one of a moment: it is asked for once, and how an app's delay stands is no matter. */
  readonly momentary?: readonly string[];
  /** Texts of the record, such as commands, and what stands for them here; `folder` is one of the play's own. */
  readonly texts?: (folder: string) => Readonly<Record<string, string>>;
}

/** What a play has by now. */
export interface Played {
  readonly stage: Stage;
  readonly replay: Replay;
  /** Is removed at the end. */
  readonly folder: string;
}

const PORTS = 100;

/**
 * Tests that the cell says what a record says: one test for each answer. `then` may add tests of what happened.
 */
export function playRecorded(record: GoldenRecord, options: RecordedOptions = {}, then?: (played: Played) => void) {
  describe(record.scenario, () => {
    const parts: { stage?: Stage; replay?: Replay; folder?: string } = {};
    const played: Played = {
      get stage() {
        return present(parts.stage);
      },
      get replay() {
        return present(parts.replay);
      },
      get folder() {
        return present(parts.folder);
      },
    };

    beforeAll(async () => {
      parts.folder = mkdtempSync(join(tmpdir(), 'marathon-recorded-'));
      const first = await freePortBlock(PORTS);
      const agent = {
        name: 'agent1',
        hostname: 'localhost',
        attributes: 'env:fat;rack:r1;num:3.5',
        cpus: 4,
        mem: 4096,
        disk: 10_000,
        portRange: [first, first + PORTS - 1] as [number, number],
      };
      parts.stage = await startStage({ agents: [], mesos: { agents: [agent] }, marathon: options.marathon ?? {} });
      const told = (answer: unknown) => withoutSystematic(record.scenario, mask(answer));
      parts.replay = await Replay.on(parts.stage, record, { mask: told });
      for (const [theirs, ours] of Object.entries(options.texts?.(parts.folder) ?? {})) {
        parts.replay.parts.pair(theirs, ours);
      }
    });

    afterAll(async () => {
      parts.replay?.stop();
      await parts.stage?.stop();
      if (parts.folder) rmSync(parts.folder, { recursive: true });
    });

    it.each(record.steps.map((step, index) => ({ title: `${index} ${step.note}`, step, index })))(
      '$title',
      async ({ step, index }) => {
        const { note = '' } = step;
        await options.before?.(note, played, index);
        const once = options.momentary?.includes(note) ?? false;
        const listed = differences(record.scenario, index);
        const compared = await played.replay.play(step, { once, same: (answer) => isSame(answer, listed) });
        const { got, wanted } = judged(compared, listed);
        if (once) expect(withoutDelay(got)).toEqual(withoutDelay(wanted));
        else expect(got).toEqual(wanted);
      },
    );

    then?.(played);
  });
}

/** The answer with counts as none or some, and with the ports of offers masked. */
function mask(value: unknown, key = ''): unknown {
  if (key === 'ranges') return 'some ports';
  if (key in COUNTED) return value === 0 ? 'none' : 'some';
  if (Array.isArray(value)) return value.map((item) => mask(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mask(member, name)]));
}

function withoutDelay(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, member) => (key === 'delay' ? undefined : member)));
}

/** Waits until no deployment is under way. */
export async function atRest({ stage }: Played): Promise<void> {
  await until('nothing is deployed', 20_000, async () => {
    const { body } = await ask(stage.url, { method: 'GET', path: '/v2/deployments' });
    return Array.isArray(body) && body.length === 0;
  });
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the play has not begun');
  return value;
}
