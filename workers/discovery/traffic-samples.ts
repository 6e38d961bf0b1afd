import type { ProcessInfo, ServerCounters } from '../../activities/balancer/runtime-answers.ts';
import { revisionOf } from '../../activities/balancer/servers.ts';
import { integer, type Point } from '../../activities/influx/line-protocol.ts';

/** What one balancer's process had counted at a moment. */
export interface CounterReading {
  /** Which balancer. */
  readonly balancer: string;
  readonly process: Pick<ProcessInfo, 'pid'>;
  readonly servers: readonly ServerCounters[];
  /** By a steady clock, ms. */
  readonly at: number;
}

/** What was counted for one revision between two readings, over all balancers. */
export interface TrafficSample {
  readonly environment: string;
  readonly service: string;
  readonly revision: string;
  readonly requests: number;
  readonly errors5xx: number;
  readonly errorsConnection: number;
  /** Average over the last requests of each server, weighted by what each got; absent when there were none. */
  readonly latencyMs?: number;
  readonly up: number;
  readonly sessions: number;
  /** Time between the readings. */
  readonly seconds: number;
}

type Counted = Pick<ServerCounters, 'answers' | 'errors5xx' | 'errorsConnection'>;

const NOTHING: Counted = { answers: 0, errors5xx: 0, errorsConnection: 0 };

/** Backends of services are `<environment>.<service>`; those of health checks have more parts, others fewer. */
const SERVICE_BACKEND = /^([a-z0-9-]+)\.([a-z0-9-]+)$/;

/**
 * Turns counters into what happened since the reading before. The first reading of a balancer only sets the start. A
 * process that was not there before starts at 0, and so does a counter that went back. What the former process
 * counted between its last reading and its end is not seen.
 */
export class TrafficSampler {
  readonly #before = new Map<string, CounterReading>();

  /** @param readings at most one for each balancer; one that did not answer catches up with its next reading */
  take(readings: readonly CounterReading[]): readonly TrafficSample[] {
    const samples = new Map<string, TrafficSample>();
    for (const reading of readings) {
      const before = this.#before.get(reading.balancer);
      this.#before.set(reading.balancer, reading);
      if (before === undefined) continue;
      for (const server of reading.servers) {
        const sample = sampleOf(server, baseline(server, reading, before), (reading.at - before.at) / 1000);
        if (sample === undefined) continue;
        const key = `${sample.environment}.${sample.service}.${sample.revision}`;
        samples.set(key, added(samples.get(key), sample));
      }
    }
    return [...samples.values()];
  }
}

function baseline(server: ServerCounters, reading: CounterReading, before: CounterReading): Counted {
  if (before.process.pid !== reading.process.pid) return NOTHING;
  const same = before.servers.find(({ backend, name }) => backend === server.backend && name === server.name);
  const wentBack =
    same === undefined ||
    server.answers < same.answers ||
    server.errors5xx < same.errors5xx ||
    server.errorsConnection < same.errorsConnection;
  return wentBack ? NOTHING : same;
}

function sampleOf(server: ServerCounters, since: Counted, seconds: number): TrafficSample | undefined {
  const [, environment, service] = SERVICE_BACKEND.exec(server.backend) ?? [];
  if (environment === undefined || service === undefined) return undefined;
  const requests = server.answers - since.answers;
  return {
    environment,
    service,
    revision: revisionOf(server.name),
    requests,
    errors5xx: server.errors5xx - since.errors5xx,
    errorsConnection: server.errorsConnection - since.errorsConnection,
    ...(requests === 0 || server.latencyMs === undefined ? {} : { latencyMs: server.latencyMs }),
    up: server.up ? 1 : 0,
    sessions: server.sessions,
    seconds,
  };
}

function added(one: TrafficSample | undefined, other: TrafficSample): TrafficSample {
  if (one === undefined) return other;
  const requests = one.requests + other.requests;
  const timed = [one, other].flatMap(({ latencyMs, requests: weight }) =>
    latencyMs === undefined ? [] : [{ latencyMs, weight }],
  );
  const weight = timed.reduce((sum, part) => sum + part.weight, 0);
  const latencyMs = timed.reduce((sum, part) => sum + part.latencyMs * part.weight, 0) / weight;
  return {
    ...other,
    requests,
    errors5xx: one.errors5xx + other.errors5xx,
    errorsConnection: one.errorsConnection + other.errorsConnection,
    ...(weight === 0 ? {} : { latencyMs }),
    up: one.up + other.up,
    sessions: one.sessions + other.sessions,
    seconds: Math.max(one.seconds, other.seconds),
  };
}

/** The sample as a point of the measurement `balancer`. */
export function samplePoint(sample: TrafficSample, second: number): Point {
  const { environment, service, revision, latencyMs } = sample;
  return {
    measurement: 'balancer',
    tags: { environment, service, revision },
    fields: {
      requests: integer(sample.requests),
      errors_5xx: integer(sample.errors5xx),
      errors_conn: integer(sample.errorsConnection),
      up: integer(sample.up),
      sessions: integer(sample.sessions),
      seconds: sample.seconds,
      ...(latencyMs === undefined ? {} : { latency_ms: latencyMs }),
    },
    second,
  };
}
