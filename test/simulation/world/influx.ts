import { type Answer, type Call, json } from './exchange.ts';

/** What the balancers would have counted. */
export interface Load {
  /** Names of the revisions that are there. */
  revisions(environment: string, service: string): readonly string[];
  /** Requests and errors of a revision in an interval that begins at this time; undefined: there are no figures of it. */
  figures(
    of: FiguresOf,
  ): { readonly requests: number; readonly errors: number; readonly latencyMs: number } | undefined;
}

export interface FiguresOf {
  readonly environment: string;
  readonly service: string;
  readonly revision: string;
  /** Seconds since 1970. */
  readonly time: number;
  readonly seconds: number;
  /** From the window's begin to this interval. */
  readonly sinceFrom: number;
  /** From this interval's end to the window's end. */
  readonly untilTo: number;
}

interface Parameters {
  readonly environment: string;
  readonly service: string;
  readonly from: string;
  readonly to: string;
}

/** InfluxDB 1.x, as far as a canary's figures are asked for: sums and mean times by interval and revision. */
export class SimulatedInflux {
  private readonly load: Load;

  constructor(load: Load) {
    this.load = load;
  }

  handle(call: Call): Answer {
    const form = new URLSearchParams(call.body);
    const statement = form.get('q') ?? '';
    const every = Number(/GROUP BY time\((\d+)s\), "revision"/.exec(statement)?.[1] ?? 0);
    if (call.path !== '/query' || every === 0) return json(200, { results: [{ statement_id: 0 }] });
    const parameters = JSON.parse(form.get('params') ?? '{}') as Parameters;
    const timed = statement.includes('AS "latencyMs"');
    const series = this.load.revisions(parameters.environment, parameters.service).map((revision) => ({
      name: 'balancer',
      tags: { revision },
      columns: timed ? ['time', 'latencyMs'] : ['time', 'requests', 'errors', 'seconds'],
      values: this.rows(parameters, revision, every, timed),
    }));
    const found = series.filter(({ values }) => values.length > 0);
    return json(200, { results: [{ statement_id: 0, ...(found.length > 0 ? { series: found } : {}) }] });
  }

  private rows(parameters: Parameters, revision: string, every: number, timed: boolean): number[][] {
    const { environment, service } = parameters;
    const from = Date.parse(parameters.from) / 1000;
    const to = Date.parse(parameters.to) / 1000;
    const rows: number[][] = [];
    for (let time = Math.ceil(from / every) * every; time + every <= to; time += every) {
      const counted = this.load.figures({
        ...{ environment, service, revision, time, seconds: every },
        sinceFrom: time - from,
        untilTo: to - time - every,
      });
      if (!counted) continue;
      rows.push(timed ? [time, counted.latencyMs] : [time, counted.requests, counted.errors, every]);
    }
    return rows;
  }
}
