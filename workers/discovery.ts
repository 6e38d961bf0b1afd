/**
 * `node workers/discovery.ts`: keeps Consul's registrations equal to what Marathon runs, and writes what the balancers
 * count into InfluxDB. Configured by `slipway.config.yaml`; runs until SIGINT or SIGTERM.
 */
import type { Configuration } from '../domain/schemas/config.ts';
import { loadConfiguration } from './configuration.ts';
import { Collector, type CollectorOptions } from './discovery/collector.ts';
import type { Log } from './discovery/log.ts';
import { Registrar, type RegistrarOptions } from './discovery/registrar.ts';
import { processLog } from './log.ts';

export interface DiscoveryOptions {
  readonly registrar: RegistrarOptions;
  readonly collector: CollectorOptions;
}

/** What the configuration says of discovery. Environments that name the same Marathon share one event stream. */
export function discoveryOptions(
  configuration: Pick<Configuration, 'balancers' | 'consul' | 'environments' | 'influx'>,
  log: Log,
): DiscoveryOptions {
  const { balancers, consul, environments, influx } = configuration;
  const byMarathon = new Map<string, string[]>();
  for (const [name, { marathon }] of Object.entries(environments)) {
    byMarathon.set(marathon.url, [...(byMarathon.get(marathon.url) ?? []), name]);
  }
  return {
    registrar: {
      consul: { url: consul.url, ...(consul.token === undefined ? {} : { token: consul.token }) },
      marathons: [...byMarathon].map(([url, names]) => ({ marathon: { url, timeoutMs: 5_000 }, environments: names })),
      frontends: Object.fromEntries(
        Object.entries(environments).map(([name, { balancer }]) => [name, `${balancer.address}:${balancer.port}`]),
      ),
      log,
    },
    collector: {
      balancers: [...new Set(Object.values(balancers).flatMap(({ runtime }) => runtime))],
      influx,
      log,
    },
  };
}

/** Registers and collects until the signal. */
export async function runDiscovery(options: DiscoveryOptions, signal: AbortSignal): Promise<void> {
  await Promise.all([new Registrar(options.registrar).run(signal), new Collector(options.collector).run(signal)]);
}

if (import.meta.main) {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => stop.abort());
  await runDiscovery(discoveryOptions(loadConfiguration(), processLog('discovery')), stop.signal);
}
