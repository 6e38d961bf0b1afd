import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';
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

/** Load of one service in one environment. */
export interface ServiceRate {
  readonly environment: string;
  readonly service: string;
  readonly requestsPerSecond: number;
  /** How much of the window has figures. */
  readonly seconds: number;
}

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

/** The numbers of a series' only row, by column; a null is left out. */
function numbersOf(series: Series | undefined): Readonly<Record<string, number>> {
  const row = series?.rows[0] ?? [];
  return Object.fromEntries(
    (series?.columns ?? []).flatMap((column, index) => {
      const value = row[index];
      return typeof value === 'number' ? [[column, value] as const] : [];
    }),
  );
}

function isoTime(text: string): string {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time.toISOString();
  throw ApplicationFailure.create({
    type: FailureType.RequestInvalid,
    nonRetryable: true,
    message: `"${text}" is no ISO 8601 time, so there is no window to read`,
  });
}
