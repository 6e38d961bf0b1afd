/** The whole cell in one process: a Mesos with its agents, and a Marathon on it. */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { FaultBoard } from './faults/board.ts';
import { type MarathonCell, startMarathon } from './marathon/marathon.ts';
import { PROFILES, type ProfileName } from './marathon/profile.ts';
import { type CellLog, SILENT } from './mesos/log.ts';
import { cellOptionsSchema } from './mesos/options.ts';
import { type RunningAgent, startMesos } from './mesos/start.ts';

const profiles = Object.keys(PROFILES) as [ProfileName, ...ProfileName[]];

export const wholeCellSchema = z.strictObject({
  /** Everything that outlives the process: records, sandboxes, Marathon's journal. */
  stateDir: z.string().min(1),
  mesos: cellOptionsSchema.omit({ stateDir: true }),
  marathon: z
    .strictObject({
      /** 0: any that is free. */
      port: z.int().min(0).max(65_535).default(0),
      profile: z.enum(profiles).default('1.7'),
    })
    .prefault({}),
  /** Opens `/cell/faults`, on Mesos and on Marathon alike. */
  faults: z.boolean().default(false),
});

/** As a caller writes it; what has a default may be left out. */
export type WholeCellOptions = z.input<typeof wholeCellSchema>;

export interface Cell {
  /** Such as `http://127.0.0.1:5050`. */
  readonly mesosUrl: string;
  /** Such as `http://127.0.0.1:8080`. */
  readonly marathonUrl: string;
  readonly agents: readonly RunningAgent[];
  /** Undefined when they were not asked for. */
  readonly faults: FaultBoard | undefined;
  /** Ends every task, and rejects when some could not be ended; what is stored stays. */
  stop(): Promise<void>;
}

/**
 * Starts a cell, or takes up the one whose `stateDir` it is, whatever became of it: see `startMesos` and
 * `startMarathon`. Throws when the options are wrong or a port is taken; nothing is left running then.
 */
export async function startCell(options: WholeCellOptions, log: CellLog = SILENT): Promise<Cell> {
  const settings = wholeCellSchema.parse(options);
  const stateDir = resolve(settings.stateDir);
  const faults = settings.faults ? new FaultBoard() : undefined;
  const mesos = await startMesos({ ...settings.mesos, stateDir: join(stateDir, 'mesos') }, log, faults);
  let marathon: MarathonCell;
  try {
    marathon = await startMarathon({
      host: settings.mesos.host,
      port: settings.marathon.port,
      profile: settings.marathon.profile,
      mesosMaster: mesos.masterUrl,
      stateDir: join(stateDir, 'marathon'),
      log,
      faults,
    });
  } catch (error) {
    await mesos.stop();
    throw error;
  }
  return {
    mesosUrl: mesos.masterUrl,
    marathonUrl: marathon.url,
    agents: mesos.agents,
    faults,
    stop: async () => {
      // First who would start tasks anew.
      try {
        await marathon.stop();
      } finally {
        await mesos.stop();
      }
    },
  };
}
