import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';
import { type Interval, type IntervalFigures, type JudgeInputs, NO_FIGURES } from '../../domain/judge/inputs.ts';
import { InfluxClient, type InfluxOptions, type Series } from './client.ts';

/** What the balancers counted for one revision over a window. */
export interface RevisionFigures {
  /** Answers given. */
  readonly requests: number;
  /** Answers with a status of 500 and above. */
  readonly errors5xx: number;
  /** Attempts that got no answer; the balancer may have tried another instance. */
  readonly errorsConnection: number;
  /** Average time to the head of an answer; absent where nothing was measured. */
  readonly latencyMs?: number;
  /** How much of the window has figures. */
  readonly seconds: number;
  /** How many samples that is. */
  readonly samples: number;
}

/** What is read of a canary for its judge. */
export type CanaryFigures = Pick<JudgeInputs, 'intervals' | 'timings'>;

/** Load of one service in one environment. */
export interface ServiceRate {
  readonly environment: string;
  readonly service: string;
  readonly requestsPerSecond: number;
  /** How much of the window has figures. */
  readonly seconds: number;
}

/** Of each side so many of the first answers' times are read: enough to bound a p99, and no more than a history can hold. */
const MOST_TIMINGS = 5_000;

export type InfluxActivities = ReturnType<typeof createInfluxActivities>;

/** Activities that read the balancers' figures, which the discovery process writes every second (`balancer`). */
export function createInfluxActivities(options: InfluxOptions) {
  const influx = new InfluxClient(options);

  return {
    /**
     * What the balancers counted for each of these revisions. A sample counts where its end lies in the window.
     * A revision without figures has 0 everywhere, `seconds` too: that is no good news.
     *
     * @param input.from ISO 8601, exclusive
     * @param input.to ISO 8601, inclusive
     */
    async readRevisionWindows(input: {
      readonly environment: string;
      readonly service: string;
      readonly revisions: readonly string[];
      readonly from: string;
      readonly to: string;
    }): Promise<Readonly<Record<string, RevisionFigures>>> {
      const { environment, service, revisions } = input;
      const parameters = { environment, service, from: isoTime(input.from), to: isoTime(input.to) };
      const where =
        'FROM "balancer" WHERE "environment" = $environment AND "service" = $service AND time > $from AND time <= $to';
      const counted = await influx.query(
        `SELECT sum("requests") AS "requests", sum("errors_5xx") AS "errors5xx", sum("errors_conn") AS "errorsConnection", sum("seconds") AS "seconds", count("requests") AS "samples" ${where} GROUP BY "revision"`,
        parameters,
      );
      // The balancer's averages count by the requests they stand for.
      const timed = await influx.query(
        `SELECT sum("total") / sum("requests") AS "latencyMs" FROM (SELECT "latency_ms" * "requests" AS "total", "requests" ${where}) GROUP BY "revision"`,
        parameters,
      );
      return Object.fromEntries(
        revisions.map((revision) => {
          const figures = numbersOf(counted.find(({ tags }) => tags['revision'] === revision));
          const latencyMs = numbersOf(timed.find(({ tags }) => tags['revision'] === revision))['latencyMs'];
          return [
            revision,
            {
              requests: figures['requests'] ?? 0,
              errors5xx: figures['errors5xx'] ?? 0,
              errorsConnection: figures['errorsConnection'] ?? 0,
              ...(latencyMs === undefined ? {} : { latencyMs }),
              seconds: figures['seconds'] ?? 0,
              samples: figures['samples'] ?? 0,
            },
          ];
        }),
      );
    },

    /**
     * The same figures interval by interval, for canary and old revision side by side. An interval in which not all of
     * them were counted has 0 for the others, `seconds` too; one in which none was is left out.
     *
     * @param input.from ISO 8601, exclusive
     * @param input.to ISO 8601, inclusive
     * @param input.others other instances of the old revision, beside fresh ones as the baseline; absent for none
     * @param input.intervalSeconds whole seconds
     * @param input.timings whether to read times of single answers as well: the field `ms` of the measurement `timings`,
     * which whoever ships the balancers' logs may write (tags `environment`, `service`, `revision`)
     */
    async readCanaryFigures(input: {
      readonly environment: string;
      readonly service: string;
      readonly canary: string;
      /** Null where there is nothing to compare with: its figures are then 0. */
      readonly baseline: string | null;
      readonly others?: string;
      readonly from: string;
      readonly to: string;
      readonly intervalSeconds: number;
      readonly timings: boolean;
    }): Promise<CanaryFigures> {
      const { environment, service, canary, baseline, others, intervalSeconds } = input;
      if (!Number.isInteger(intervalSeconds) || intervalSeconds < 1)
        throw badRequest(`an interval can't be ${intervalSeconds} s`);
      const parameters = { environment, service, from: isoTime(input.from), to: isoTime(input.to) };
      const where = '"environment" = $environment AND "service" = $service AND time > $from AND time <= $to';
      const every = `WHERE ${where} GROUP BY time(${intervalSeconds}s), "revision" fill(none)`;
      const counted = await influx.query(
        `SELECT sum("requests") AS "requests", sum("errors_5xx") AS "errors", sum("seconds") AS "seconds" FROM "balancer" ${every}`,
        parameters,
      );
      const timed = await influx.query(
        `SELECT sum("total") / sum("requests") AS "latencyMs" FROM (SELECT "latency_ms" * "requests" AS "total", "requests" FROM "balancer" WHERE ${where}) WHERE time > $from AND time <= $to GROUP BY time(${intervalSeconds}s), "revision" fill(none)`,
        parameters,
      );
      const figuresOf = (revision: string | null) =>
        figuresByTime(seriesOf(counted, revision), seriesOf(timed, revision));
      const [ofCanary, ofBaseline, ofOthers] = [figuresOf(canary), figuresOf(baseline), figuresOf(others ?? null)];
      const times = [...new Set([...ofCanary.keys(), ...ofBaseline.keys(), ...ofOthers.keys()])].sort((a, b) => a - b);
      const intervals: Interval[] = times.map((time) => ({
        canary: ofCanary.get(time) ?? NO_FIGURES,
        baseline: ofBaseline.get(time) ?? NO_FIGURES,
        ...(others === undefined ? {} : { others: ofOthers.get(time) ?? NO_FIGURES }),
      }));
      if (!input.timings) return { intervals };
      const timingsOf = async (revision: string | null): Promise<number[]> => {
        if (revision === null) return [];
        const [found] = await influx.query(
          `SELECT "ms" FROM "timings" WHERE ${where} AND "revision" = $revision ORDER BY time ASC LIMIT ${MOST_TIMINGS}`,
          { ...parameters, revision },
        );
        return (found?.rows ?? []).flatMap(([, ms]) => (typeof ms === 'number' ? [ms] : []));
      };
      return { intervals, timings: { canary: await timingsOf(canary), baseline: await timingsOf(baseline) } };
    },

    /**
     * Load of every service in every environment over the last seconds, by one query. A service that was not counted
     * at all is left out; one that nobody asked for anything has 0.
     */
    async readServiceRates(input: { readonly windowSeconds: number }): Promise<readonly ServiceRate[]> {
      const to = new Date();
      const from = new Date(to.getTime() - input.windowSeconds * 1000);
      // Revisions of one second are added up; seconds without a sample are not taken for seconds without load.
      const series = await influx.query(
        'SELECT sum("requests") AS "requests", sum("seconds") AS "seconds" FROM (SELECT sum("requests") AS "requests", max("seconds") AS "seconds" FROM "balancer" WHERE time > $from AND time <= $to GROUP BY time(1s), "environment", "service" fill(none)) GROUP BY "environment", "service"',
        { from: from.toISOString(), to: to.toISOString() },
      );
      return series.flatMap((one) => {
        const { requests = 0, seconds = 0 } = numbersOf(one);
        const { environment, service } = one.tags;
        if (!environment || !service || seconds <= 0) return [];
        return [{ environment, service, requestsPerSecond: requests / seconds, seconds }];
      });
    },
  };
}

function seriesOf(series: readonly Series[], revision: string | null): Series | undefined {
  return series.find(({ tags }) => tags['revision'] === revision);
}

/** One revision's figures by the time of their interval. */
function figuresByTime(counted: Series | undefined, timed: Series | undefined): Map<number, IntervalFigures> {
  const latencies = new Map(allRows(timed).map(({ time, latencyMs }) => [time, latencyMs]));
  return new Map(
    allRows(counted).map(({ time = 0, requests = 0, errors = 0, seconds = 0 }) => [
      time,
      { requests, errors, seconds, latencyMs: latencies.get(time) ?? null },
    ]),
  );
}

function allRows(series: Series | undefined): Readonly<Record<string, number>>[] {
  return (series?.rows ?? []).map((_, index) => numbersOf(series, index));
}

/** The numbers of a row of a series, by column; a null is left out. */
function numbersOf(series: Series | undefined, index = 0): Readonly<Record<string, number>> {
  const row = series?.rows[index] ?? [];
  return Object.fromEntries(
    (series?.columns ?? []).flatMap((column, position) => {
      const value = row[position];
      return typeof value === 'number' ? [[column, value] as const] : [];
    }),
  );
}

function isoTime(text: string): string {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time.toISOString();
  throw badRequest(`"${text}" is no ISO 8601 time, so there is no window to read`);
}

function badRequest(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: FailureType.RequestInvalid, nonRetryable: true, message });
}
