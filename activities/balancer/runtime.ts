import { connect, type Socket } from 'node:net';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';
import {
  type MasterProcess,
  type ProcessInfo,
  parseInfo,
  parseProcesses,
  parseServersState,
  parseStat,
  RuntimeFormatError,
  type ServerCounters,
  type ServerState,
} from './runtime-answers.ts';

export interface RuntimeOptions {
  /** `host:port`, or the absolute path of a unix socket. */
  readonly address: string;
  /** Longest time for one exchange, connection included. Default 5 000. */
  readonly timeoutMs?: number;
  /** Speak to this process through its master's socket, which `address` then is. */
  readonly worker?: number;
}

/** A weight for one server. */
export interface WeightChange {
  readonly backend: string;
  readonly server: string;
  readonly weight: number;
}

/** HAProxy reads a command line into a buffer of 16 KB; this many weight commands stay well below it. */
const COMMANDS_PER_LINE = 50;

/** The process-wide variable that holds until when, in seconds since 1970, a configuration may be being applied. */
const APPLYING = 'proc.slipway_applying';

/**
 * A client of one HAProxy's runtime API: one connection an exchange, no retry, no memory. Fails with an
 * `ApplicationFailure`: `SystemUnavailable` when nothing answered, `UnexpectedAnswer` for an answer that is not what
 * HAProxy's manual promises, `SystemRefused` when it refuses a command.
 */
export class BalancerRuntime {
  readonly address: string;
  readonly #timeoutMs: number;
  readonly #prefix: string;

  constructor(options: RuntimeOptions) {
    this.address = options.address;
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    this.#prefix = options.worker === undefined ? '' : `@!${options.worker} `;
  }

  /** Who answers. */
  async info(): Promise<ProcessInfo> {
    return this.#ask('show info', parseInfo);
  }

  /** State and weight of every server. */
  async serversState(): Promise<readonly ServerState[]> {
    return this.#ask('show servers state', parseServersState);
  }

  /**
   * State and weight of every server, and whether this very process is having a configuration applied to it: then
   * its weights may change, and with a reload the process, without anybody having said so in the meantime.
   */
  async serversWhileApplied(): Promise<{ readonly states: readonly ServerState[]; readonly applying: boolean }> {
    // One connection is one process, so both answers are of the same, also in the middle of a reload.
    return this.#ask(`get var ${APPLYING};${this.#prefix}show servers state`, (text) => {
      const start = text.search(/^1\n# /m);
      return { states: parseServersState(text.slice(start)), applying: isApplying(text.slice(0, start)) };
    });
  }

  /**
   * Marks the process as one to which a configuration is being applied, for at most so long; 0: no more. Not through a
   * master's socket.
   */
  async markApplying(seconds: number): Promise<void> {
    const until = seconds === 0 ? 0 : Math.ceil(Date.now() / 1000) + seconds;
    // Setting a variable counts as experimental in every release that can.
    const said = (await this.#exchange(`experimental-mode on;set var ${APPLYING} int(${until})`)).trim();
    if (said !== '') throw this.#refused('set var', said);
  }

  /** The text of `show servers state`, which HAProxy loads again at a reload. */
  async serversStateText(): Promise<string> {
    return this.#ask('show servers state', (text) => {
      parseServersState(text);
      return text;
    });
  }

  /** Counters of every server, and of which process they are: counters start at 0 with each process. */
  async counters(): Promise<{ readonly process: ProcessInfo; readonly servers: readonly ServerCounters[] }> {
    // One connection is one process, so both answers are of the same, also in the middle of a reload.
    return this.#ask(`show info;${this.#prefix}show stat`, (text) => {
      const stat = text.indexOf('# pxname,');
      return { process: parseInfo(text.slice(0, stat)), servers: parseStat(text.slice(stat)) };
    });
  }

  /** The processes of a master; only on a master's socket. */
  async processes(): Promise<readonly MasterProcess[]> {
    return this.#ask('show proc', parseProcesses);
  }

  /** Tells a master to reload; it takes effect some time later. Only on a master's socket. */
  async reload(): Promise<void> {
    // The master executes itself anew, so the connection just ends.
    await this.#exchange('reload');
  }

  /**
   * Sets weights in the given order, one after the other with nothing in between. A server that is not there any more
   * is left out without an error: read back what counts.
   */
  async setWeights(changes: readonly WeightChange[]): Promise<void> {
    for (let start = 0; start < changes.length; start += COMMANDS_PER_LINE) {
      const commands = changes
        .slice(start, start + COMMANDS_PER_LINE)
        .map(({ backend, server, weight }) => `${this.#prefix}set weight ${backend}/${server} ${weight}`);
      const said = (await this.#exchange(commands.join(';'))).split('\n').map((line) => line.trim());
      const complaint = said.find((line) => line !== '' && !/^No such (server|backend)\.$/.test(line));
      if (complaint !== undefined) throw this.#refused('set weight', complaint);
    }
  }

  async #ask<T>(command: string, parse: (text: string) => T): Promise<T> {
    const text = await this.#exchange(`${this.#prefix}${command}`);
    // Every answer ends with an empty line; without it the process ended in the middle of a list.
    if (!text.endsWith('\n\n')) throw this.#noAnswer(command, `it ended after ${JSON.stringify(text.slice(-80))}`);
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof RuntimeFormatError)) throw error;
      throw ApplicationFailure.create({
        type: FailureType.UnexpectedAnswer,
        nonRetryable: true,
        message: `HAProxy ${this.address}: the answer to "${command}" ${error.message}; is this its runtime API?`,
        cause: error,
      });
    }
  }

  #exchange(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = open(this.address);
      const chunks: Buffer[] = [];
      const fail = (reason: string, cause?: Error) => {
        socket.destroy();
        reject(this.#noAnswer(line, reason, cause));
      };
      const timer = setTimeout(() => fail(`none within ${this.#timeoutMs} ms`), this.#timeoutMs);
      // Our side ends with the line: a master's socket answers more lines for as long as there may be some.
      socket.on('connect', () => socket.end(`${line}\n`));
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('error', (error) => {
        clearTimeout(timer);
        fail(error.message || 'connection error', error);
      });
      socket.on('end', () => {
        clearTimeout(timer);
        resolve(Buffer.concat(chunks).toString('utf8'));
      });
    });
  }

  #refused(command: string, said: string): ApplicationFailure {
    return ApplicationFailure.create({
      type: FailureType.SystemRefused,
      nonRetryable: true,
      message: `HAProxy ${this.address}: ${command} answered: ${said}; is its socket of level admin?`,
    });
  }

  #noAnswer(line: string, reason: string, cause?: Error): ApplicationFailure {
    const call = line.length > 60 ? `${line.slice(0, 60)}...` : line;
    return ApplicationFailure.create({
      type: FailureType.SystemUnavailable,
      message: `HAProxy ${this.address}: "${call}" got no answer (${reason}); check that it runs and that this is its runtime API`,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** From the answer to `get var`; a mark whose time is over was left by one that was killed. */
function isApplying(text: string): boolean {
  return Number(/value=<(\d+)>/.exec(text)?.[1] ?? 0) > Date.now() / 1000;
}

function open(address: string): Socket {
  if (address.startsWith('/')) return connect(address);
  const colon = address.lastIndexOf(':');
  return connect(Number(address.slice(colon + 1)), address.slice(0, colon));
}
