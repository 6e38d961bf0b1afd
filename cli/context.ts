import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { z } from 'zod';
import type { ReleaseOutcome, ReleaseView } from '../domain/release.ts';
import { parseReleaseName } from '../domain/schemas/api.ts';
import { ApiClient } from './api-client.ts';
import { wantsColor } from './colors.ts';
import { formatDuration } from './duration.ts';
import { ExitCode, exitCodeOfRelease } from './exit-codes.ts';
import { type CliIo, widthOf } from './io.ts';
import { type Language, languageOf, MESSAGES } from './messages.ts';
import { renderRelease } from './render-release.ts';
import { renderTable } from './render-table.ts';
import { WatchTimeout, watchRelease } from './watch-release.ts';

/** A mistake in the command itself. */
export class UsageError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = ExitCode.Usage) {
    super(message);
    this.name = 'UsageError';
    this.exitCode = exitCode;
  }
}

/** Options of every command. */
export interface GlobalOptions {
  readonly api?: string;
  readonly token?: string;
  readonly lang?: string;
  readonly output: 'text' | 'json';
  /** The same as `output: 'json'`; some commands have it. */
  readonly json?: boolean;
}

/** Makes an action of what is to run in the context of the options that stand before the command. */
export type ActInContext = <Args extends unknown[]>(
  run: (context: Context, ...args: Args) => Promise<number>,
) => (this: Command, ...args: Args) => Promise<void>;

/** What every command works with. */
export class Context {
  readonly language: Language;
  private readonly io: CliIo;
  private readonly options: GlobalOptions;

  constructor(io: CliIo, options: GlobalOptions) {
    this.io = io;
    this.options = options.json ? { ...options, output: 'json' } : options;
    this.language = languageOf(options.lang, io.env);
  }

  get say() {
    return MESSAGES[this.language];
  }

  get api(): ApiClient {
    const token = this.options.token ?? this.io.env['SLIPWAY_TOKEN'];
    if (!token) throw new UsageError(this.say.needsToken, ExitCode.NotAllowed);
    const url = this.options.api ?? (this.io.env['SLIPWAY_API'] || 'http://127.0.0.1:8090');
    return new ApiClient({
      ...{ url, token, language: this.language, interrupted: this.io.interrupted },
      onAway: (reason) => this.tell(this.say.apiAway(reason)),
    });
  }

  /** Aborted when the person interrupts. */
  get interrupted(): AbortSignal {
    return this.io.interrupted;
  }

  get ask() {
    return this.io.ask;
  }

  /** `service/key`, checked. */
  releaseName(text: string): string {
    const name = parseReleaseName(text);
    if (name === undefined) throw new UsageError(this.say.notAReleaseName(text));
    return `${name.service}/${name.key}`;
  }

  /** A command on a release; this run of it counts once, however often it must be sent. */
  command<Schema extends z.ZodType>(name: string, verb: string, body: unknown, schema: Schema) {
    return this.api.call(`/v1/releases/${name}/${verb}`, schema, { method: 'POST', body, key: randomUUID() });
  }

  /** Shows a release until it ends. @param wanted the end that is a success */
  async watch(name: string, timeoutSeconds: number, wanted: ReleaseOutcome = 'released'): Promise<number> {
    const { language } = this;
    const json = this.options.output === 'json';
    try {
      const view = await watchRelease(this.io, {
        api: this.api,
        path: `/v1/releases/${name}`,
        language,
        json,
        timeoutSeconds,
      });
      const code = exitCodeOfRelease(view, wanted);
      this.print(this.tree(view), { v: 1, event: 'result', exitCode: code, release: view });
      return code;
    } catch (error) {
      if (this.io.interrupted.aborted) {
        this.tell(this.say.goesOn(name));
        return ExitCode.Interrupted;
      }
      if (!(error instanceof WatchTimeout)) throw error;
      this.tell(this.say.stillRunning(name, formatDuration(timeoutSeconds * 1000)));
      this.print('', { v: 1, event: 'result', exitCode: ExitCode.StillRunning, release: error.view });
      return ExitCode.StillRunning;
    }
  }

  /** Data, to stdout: as text, or as one line of JSON. */
  print(text: string | readonly string[], json: object): void {
    const lines = typeof text === 'string' ? (text === '' ? [] : [text]) : text;
    const written = this.options.output === 'json' ? [JSON.stringify(json)] : lines;
    for (const line of written) this.io.stdout.write(`${line}\n`);
  }

  /** For people, to stderr. */
  tell(text: string): void {
    this.io.stderr.write(`${text}\n`);
  }

  tree(view: ReleaseView): string[] {
    const { stdout, env } = this.io;
    const now = new Date().toISOString();
    return renderRelease(view, {
      width: widthOf(stdout),
      color: wantsColor(stdout, env),
      language: this.language,
      now,
    });
  }

  table(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
    return renderTable(titles, rows, widthOf(this.io.stdout));
  }
}
