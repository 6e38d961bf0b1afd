import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { FailureType } from '../../domain/failures.ts';
import { fetchFailureReason } from '../fetch-failure.ts';
import { mayPass } from '../passing-status.ts';
import { line, type Point } from './line-protocol.ts';

/** Where an InfluxDB 1.x is. */
export interface InfluxOptions {
  /** Such as `http://127.0.0.1:8086`. */
  readonly url: string;
  readonly database: string;
  /** Longest time for one call, connection included. Default 5 000. */
  readonly timeoutMs?: number;
}

/** One series of an answer: a row of values for each time. */
export interface Series {
  readonly tags: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
}

/** What became of the points of one write. */
export interface WriteResult {
  /** Points that InfluxDB did not take; the others are stored. */
  readonly dropped: number;
  /** InfluxDB's reason, when it dropped any. */
  readonly reason?: string;
}

/** Most of the rate of 10,000, at half the memory. */
const POINTS_PER_REQUEST = 5_000;

const QueryAnswerSchema = z.looseObject({
  error: z.string().optional(),
  results: z
    .array(
      z.looseObject({
        error: z.string().optional(),
        series: z
          .array(
            z.looseObject({
              tags: z.record(z.string(), z.string()).optional(),
              columns: z.array(z.string()),
              values: z.array(z.array(z.union([z.string(), z.number(), z.boolean(), z.null()]))),
            }),
          )
          .optional(),
      }),
    )
    .optional(),
});

/**
 * A thin client of InfluxDB 1.x: one method a call, no retry, no memory. Fails with an `ApplicationFailure`:
 * `SystemUnavailable` when nothing answered and for a status that may pass; `SystemRefused`, not retryable, on any other 4xx and
 * for a query that has an error; `UnexpectedAnswer` when the answer is not what the API promises.
 */
export class InfluxClient {
  readonly url: string;
  readonly database: string;
  readonly #timeoutMs: number;

  constructor(options: InfluxOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.database = options.database;
    this.#timeoutMs = options.timeoutMs ?? 5_000;
  }

  /** Makes the database exist. @param retentionDays how long its points stay; only used when it is created here */
  async createDatabase(retentionDays: number): Promise<void> {
    await this.#query(`CREATE DATABASE ${quoteIdentifier(this.database)} WITH DURATION ${retentionDays}d`, {});
  }

  /**
   * Writes points, in requests of at most 5,000. Writing the same again changes nothing, so a failed write may be
   * repeated whole. A point that InfluxDB refuses is counted in the result, never repeated: it would be refused again.
   */
  async write(points: readonly Point[]): Promise<WriteResult> {
    let dropped = 0;
    let reason: string | undefined;
    for (let start = 0; start < points.length; start += POINTS_PER_REQUEST) {
      const batch = points.slice(start, start + POINTS_PER_REQUEST);
      const result = await this.#writeBatch(batch);
      dropped += result.dropped;
      reason ??= result.reason;
    }
    return { dropped, ...(reason === undefined ? {} : { reason }) };
  }

  /**
   * Runs one InfluxQL statement. Values are bound, never pasted in: `$name` in the statement is `parameters.name`.
   *
   * @returns its series, with times as seconds since 1970
   */
  async query(
    statement: string,
    parameters: Readonly<Record<string, string | number>> = {},
  ): Promise<readonly Series[]> {
    return this.#query(statement, parameters, this.database);
  }

  async #query(
    statement: string,
    parameters: Readonly<Record<string, string | number>>,
    database?: string,
  ): Promise<readonly Series[]> {
    const body = new URLSearchParams({
      q: statement,
      params: JSON.stringify(parameters),
      epoch: 's',
      ...(database === undefined ? {} : { db: database }),
    });
    const call = `query "${statement.length > 80 ? `${statement.slice(0, 80)}...` : statement}"`;
    const { status, text } = await this.#post('/query', body, call);
    if (status !== 200) throw this.#refusal(call, status, text);
    const answer = QueryAnswerSchema.safeParse(parseJson(text));
    if (!answer.success) {
      throw ApplicationFailure.create({
        type: FailureType.UnexpectedAnswer,
        nonRetryable: true,
        message: `InfluxDB ${this.url}: the answer to ${call} is not one of InfluxDB 1.x: ${excerpt(text)}`,
      });
    }
    const results = answer.data.results ?? [];
    const error = answer.data.error ?? results.find((result) => result.error !== undefined)?.error;
    if (error !== undefined) throw this.#refusal(call, status, error);
    return results.flatMap(({ series = [] }) =>
      series.map(({ tags = {}, columns, values }) => ({ tags, columns, rows: values })),
    );
  }

  async #writeBatch(points: readonly Point[]): Promise<WriteResult> {
    const path = `/write?${new URLSearchParams({ db: this.database, precision: 's' })}`;
    const call = `write of ${points.length} points`;
    const { status, text } = await this.#post(path, points.map(line).join('\n'), call);
    if (status === 204) return { dropped: 0 };
    if (status !== 400) throw this.#refusal(call, status, text);
    const reason = errorOf(text);
    return { dropped: droppedPoints(reason, points.length), reason };
  }

  async #post(
    path: string,
    body: string | URLSearchParams,
    call: string,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    try {
      const response = await fetch(this.url + path, { method: 'POST', body, redirect: 'error', signal: timeout });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      const reason = timeout.aborted ? `no answer within ${this.#timeoutMs} ms` : fetchFailureReason(error);
      throw ApplicationFailure.create({
        type: FailureType.SystemUnavailable,
        message: `InfluxDB ${this.url}: ${call} got no answer (${reason}); check that it runs and can be reached from here`,
        ...(error instanceof Error ? { cause: error } : {}),
      });
    }
  }

  #refusal(call: string, status: number, text: string): ApplicationFailure {
    const passing = mayPass(status);
    return ApplicationFailure.create({
      type: passing ? FailureType.SystemUnavailable : FailureType.SystemRefused,
      nonRetryable: !passing,
      message: `InfluxDB ${this.url}, database ${this.database}: ${call} answered ${status}: ${errorOf(text)}`,
    });
  }
}

/** How many of the points a 400 says were not stored: those that do not fit, or all. */
function droppedPoints(reason: string, sent: number): number {
  if (!reason.startsWith('partial write')) return sent;
  const said = Number(/dropped=(\d+)/.exec(reason)?.[1]);
  // For lines that can't be read InfluxDB says 0.
  return said > 0 ? said : 1;
}

function errorOf(text: string): string {
  const answer = z.looseObject({ error: z.string() }).safeParse(parseJson(text));
  return answer.success ? answer.data.error : excerpt(text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: a proxy's page or nothing. The schema then says that it does not fit.
    return undefined;
  }
}

function excerpt(text: string): string {
  const said = text.replace(/\s+/g, ' ').trim();
  return said.length > 300 ? `${said.slice(0, 300)}...` : said || '(empty)';
}

const quoteIdentifier = (name: string): string => `"${name.replace(/["\\]/g, '\\$&')}"`;
