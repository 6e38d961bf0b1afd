/** The directory of a cell: its options, where it answers, and everything that outlives its process. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { wholeCellSchema } from './cell.ts';
import { type Holder, holderOf } from './mesos/lock.ts';
import { isAlive } from './mesos/processes.ts';

const optionsSchema = wholeCellSchema.omit({ stateDir: true });
/** What a cell is started with, apart from its directory. */
export type KeptOptions = z.input<typeof optionsSchema>;

const runningSchema = z.object({
  pid: z.number(),
  startTicks: z.number(),
  mesosUrl: z.string(),
  marathonUrl: z.string(),
  agents: z.array(z.object({ id: z.string(), name: z.string(), url: z.string() })),
});
/** A cell that runs. */
export type RunningCell = z.output<typeof runningSchema>;

/** Everything a cell puts into its directory. */
const CONTENT = ['cell.json', 'cell.json.new', 'running.json', 'running.json.new', 'cell.log', 'mesos', 'marathon'];

export class CellDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  get logFile(): string {
    return join(this.path, 'cell.log');
  }

  /** Where the agents keep their records and sandboxes. */
  get agents(): string {
    return join(this.path, 'mesos/agents');
  }

  /** Undefined where there never was a cell. */
  options(): z.output<typeof optionsSchema> | undefined {
    return this.#read('cell.json', optionsSchema);
  }

  /** @throws when something else is in the directory: a cell's is removed with the cell */
  writeOptions(options: KeptOptions): void {
    mkdirSync(this.path, { recursive: true });
    const foreign = readdirSync(this.path).filter((name) => !CONTENT.includes(name));
    if (foreign.length > 0) {
      throw new Error(
        `${this.path} holds other things (${foreign.slice(0, 3).join(', ')}): name a directory of its own`,
      );
    }
    this.#write('cell.json', optionsSchema.parse(options));
  }

  /** The process that works on the directory now; undefined when there is none, or when it was killed. */
  process(): Holder | undefined {
    return holderOf(join(this.path, 'mesos'));
  }

  /** The cell that answers here; undefined when there is none, or when it is still starting. */
  running(): RunningCell | undefined {
    const running = this.#read('running.json', runningSchema);
    return running !== undefined && isAlive(running) ? running : undefined;
  }

  writeRunning(running: RunningCell): void {
    this.#write('running.json', running);
  }

  removeRunning(): void {
    rmSync(join(this.path, 'running.json'), { force: true });
  }

  /** Removes what a cell puts into its directory, and the directory if it is empty then. */
  remove(): void {
    for (const name of CONTENT) rmSync(join(this.path, name), { recursive: true, force: true });
    if (existsSync(this.path) && readdirSync(this.path).length === 0) rmdirSync(this.path);
  }

  #read<T>(name: string, schema: z.ZodType<T>): T | undefined {
    const file = join(this.path, name);
    if (!existsSync(file)) return undefined;
    const parsed = schema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (parsed.success) return parsed.data;
    throw new Error(`${file} is not of this version: ${parsed.error.message}`);
  }

  /** Whole or not at all: others read it while it is written. */
  #write(name: string, content: object): void {
    const file = join(this.path, name);
    writeFileSync(`${file}.new`, `${JSON.stringify(content, undefined, 2)}\n`);
    renameSync(`${file}.new`, file);
  }
}
