/**
 * How long a developer waits for the platform of one machine: the set-up that has nothing left to do, the start of
 * every system that Slipway stands on, from nothing (no data, no images), and their end.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Supervisor } from '../local/platform/supervisor.ts';
import { startSystems } from '../local/platform/systems.ts';
import { ensureToolbox, PART_NAMES } from '../local/toolbox/toolbox.ts';
import { atMost, type Figure } from './runner/figure.ts';

/** The slowest of so many rounds counts. */
const ROUNDS = 3;
/** Seconds. A demo has four minutes, and is to spend them on releases. */
const SETUP_BAR = 2;
const START_BAR = 15;
const STOP_BAR = 10;

export default async function platform(): Promise<readonly Figure[]> {
  // The first time may install; what is measured is the time after that.
  await ensureToolbox(PART_NAMES, print);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await oneRound());
  const slowest = (figure: keyof Round) => Math.max(...rounds.map((round) => round[figure]));
  return [
    atMost('set-up with nothing to do', slowest('setup'), 's', SETUP_BAR),
    atMost('start of all systems, from no data to all at work', slowest('start'), 's', START_BAR),
    atMost('stop of all systems', slowest('stop'), 's', STOP_BAR),
  ];
}

interface Round {
  readonly setup: number;
  readonly start: number;
  readonly stop: number;
}

async function oneRound(): Promise<Round> {
  const [toolbox, setup] = await timed(() => ensureToolbox(PART_NAMES, print));
  const root = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  const supervisor = await Supervisor.open({ dir: root, log: print });
  try {
    const [, start] = await timed(() => startSystems(supervisor, toolbox));
    const [, stop] = await timed(() => supervisor.stop());
    return { setup, start, stop };
  } finally {
    // Asked a second time it changes nothing.
    await supervisor.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

/** What came of the work, and the seconds it took. */
async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const started = performance.now();
  const result = await work();
  return [result, Math.round(performance.now() - started) / 1000];
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
