import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { BalancerRuntime } from '../../activities/balancer/runtime.ts';
import { InfluxClient, type InfluxOptions } from '../../activities/influx/client.ts';
import type { Point } from '../../activities/influx/line-protocol.ts';
import type { Log } from './log.ts';
import { type CounterReading, samplePoint, TrafficSampler } from './traffic-samples.ts';

export interface CollectorOptions {
  /** Runtime APIs of all balancer processes. */
  readonly balancers: readonly string[];
  readonly influx: InfluxOptions;
  /** How long InfluxDB keeps the figures, when the database is made here. Default 7. */
  readonly retentionDays?: number;
  /** Points kept while InfluxDB is away; the oldest go first. Default 100 000: an hour of 27 revisions. */
  readonly bufferPoints?: number;
  readonly log: Log;
}

/** A balancer that has not answered by then is read again in the next second. */
const READ_WITHIN_MS = 900;

/**
 * Reads every balancer's counters each second and writes what happened since into InfluxDB. Points are made of whole
 * seconds, one for each, so that a write may be repeated. While InfluxDB is away they are kept and written later.
 */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #runtimes: readonly BalancerRuntime[];
  readonly #influx: InfluxClient;
  readonly #sampler = new TrafficSampler();
  readonly #buffer: Point[] = [];
  readonly #silent = new Set<string>();
  #away = false;
  #created = false;
  #lost = 0;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#influx = new InfluxClient(options.influx);
    this.#runtimes = options.balancers.map((address) => new BalancerRuntime({ address, timeoutMs: READ_WITHIN_MS }));
  }

  /** Works until the signal, then writes what it still has. */
  async run(signal: AbortSignal): Promise<void> {
    let writing: Promise<void> = Promise.resolve();
    let idle = true;
    let last = 0;
    while (!signal.aborted) {
      const second = Math.max(last + 1, Math.floor(Date.now() / 1000) + 1);
      try {
        await delay(second * 1000 - Date.now(), undefined, { signal });
      } catch (error) {
        if (!signal.aborted) throw error;
        break;
      }
      last = second;
      await this.sample(second);
      if (idle) {
        idle = false;
        writing = this.flush().finally(() => {
          idle = true;
        });
      }
    }
    await writing;
    await this.flush();
  }

  /** Reads all balancers and puts what happened since the reading before under this second. */
  async sample(second: number): Promise<void> {
    const readings = await Promise.all(this.#runtimes.map((runtime) => this.#read(runtime)));
    const samples = this.#sampler.take(readings.filter((reading) => reading !== undefined));
    this.#buffer.push(...samples.map((sample) => samplePoint(sample, second)));
    const surplus = this.#buffer.length - (this.#options.bufferPoints ?? 100_000);
    if (surplus > 0) {
      this.#buffer.splice(0, surplus);
      this.#lost += surplus;
    }
  }

  /** Writes what is kept; keeps it for later when InfluxDB does not take it. */
  async flush(): Promise<void> {
    const { log } = this.#options;
    const points = [...this.#buffer];
    try {
      if (!this.#created) await this.#influx.createDatabase(this.#options.retentionDays ?? 7);
      this.#created = true;
      const { dropped, reason } = await this.#influx.write(points);
      // While it wrote, the oldest may have been thrown away and new ones have come: take off those that are written.
      const written = new Set(points);
      const kept = this.#buffer.filter((point) => !written.has(point));
      this.#buffer.splice(0, this.#buffer.length, ...kept);
      if (dropped > 0) log.warn(`InfluxDB did not take ${dropped} points: ${reason}`);
      if (this.#away) log.info(`figures are written again${this.#lost > 0 ? `; ${this.#lost} points were lost` : ''}`);
      this.#away = false;
      this.#lost = 0;
    } catch (error) {
      if (!(error instanceof ApplicationFailure)) throw error;
      if (!this.#away) log.warn(`figures are kept and written later: ${error.message}`);
      this.#away = true;
      // A new or emptied InfluxDB may have come in place of the one that was there.
      this.#created = false;
    }
  }

  async #read(runtime: BalancerRuntime): Promise<CounterReading | undefined> {
    const { address } = runtime;
    const { log } = this.#options;
    try {
      const { process, servers } = await runtime.counters();
      if (this.#silent.delete(address)) log.info(`balancer ${address} answers again`);
      return { balancer: address, process, servers, at: performance.now() };
    } catch (error) {
      if (!(error instanceof ApplicationFailure)) throw error;
      if (!this.#silent.has(address)) log.warn(`no figures of a balancer: ${error.message}`);
      this.#silent.add(address);
      return undefined;
    }
  }
}
