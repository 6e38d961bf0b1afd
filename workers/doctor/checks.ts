import { z } from 'zod';
import { BalancerRuntime } from '../../activities/balancer/runtime.ts';
import { runGit, withoutPassword } from '../../activities/git/client.ts';
import { registryUrl } from '../../activities/registry/client.ts';
import type { Configuration } from '../../domain/schemas/config.ts';
import type { Check, Finding } from './check.ts';
import { consulChecks } from './consul-checks.ts';
import { getJson } from './get-json.ts';
import { ledgerChecks, ledgerNotChecked } from './ledger-checks.ts';
import { mesosChecks } from './mesos-checks.ts';
import { temporalChecks } from './temporal-checks.ts';

const TIMEOUT_MS = 5_000;

/** A check for everything that the configuration names and that can be asked from here. Nothing is changed. */
export function allChecks(configuration: Configuration): Check[] {
  return [
    ...temporalChecks(configuration.temporal),
    ...consulChecks(configuration.consul),
    ...registryChecks(configuration),
    ...ledgerChecks(configuration.ledger),
    influxCheck(configuration),
    ...mesosChecks(configuration),
    ...balancerChecks(configuration),
    ...repositoryChecks(configuration),
  ];
}

/** What can't be asked from here, said rather than passed over. */
export function notChecked({ builder, chat, ledger, registry }: Configuration): Finding[] {
  const notAsked = (system: string, address: string, said: string): Finding => ({
    system,
    address,
    state: 'not checked',
    said,
  });
  return [
    notAsked('Docker of builders', builder.docker, `only agents with ${builder.attribute} reach it`),
    notAsked('Registry maintenance', `host.${registry.host}`, 'its commands change the registry'),
    ...ledgerNotChecked(ledger),
    ...chat.outbound.map(({ url }) => notAsked('Chat', new URL(url).origin, 'a call would be a message')),
  ];
}

function registryChecks({ registry }: Configuration): Check[] {
  const addresses = [...new Set([registry.address, ...registry.replicas])];
  return addresses.map((address) => ({
    system: 'Registry',
    address,
    advice: 'start it, or correct registry.address and registry.replicas',
    run: async (signal) => {
      const response = await fetch(registryUrl(address), { signal });
      const version = response.headers.get('docker-distribution-api-version');
      if (response.status === 401) return `${version ?? 'API v2'}, asks for credentials`;
      if (response.status !== 200) throw new Error(`/v2/: status ${response.status}`);
      if (version === null) throw new Error('/v2/: no registry: the header Docker-Distribution-Api-Version is missing');
      return version;
    },
  }));
}

const databasesSchema = z.looseObject({
  results: z.array(
    z.looseObject({ series: z.array(z.looseObject({ values: z.array(z.array(z.string())).default([]) })).default([]) }),
  ),
});

function influxCheck({ influx }: Configuration): Check {
  return {
    system: 'InfluxDB',
    address: influx.url,
    advice: 'start it, or correct influx.url',
    run: async (signal) => {
      const ping = await fetch(new URL('/ping', influx.url), { signal });
      const version = ping.headers.get('x-influxdb-version');
      if (!ping.ok || version === null) throw new Error(`/ping: status ${ping.status}, no InfluxDB version`);
      const query = new URL('/query', influx.url);
      query.searchParams.set('q', 'SHOW DATABASES');
      const { results } = await getJson(query, databasesSchema, signal);
      const names = results.flatMap(({ series }) => series.flatMap(({ values }) => values.flat()));
      const database = names.includes(influx.database) ? '' : ' is not there yet; discovery makes it';
      return `${version}, database ${influx.database}${database}`;
    },
  };
}

function balancerChecks({ balancers }: Configuration): Check[] {
  return Object.entries(balancers).flatMap(([name, { runtime }]) =>
    runtime.map((address) => ({
      system: `Balancer ${name}`,
      address,
      advice: `start it with its runtime API there, or correct balancers.${name}.runtime`,
      run: async () => {
        const { pid, uptimeSeconds } = await new BalancerRuntime({ address, timeoutMs: TIMEOUT_MS }).info();
        return `HAProxy, process ${pid}, up for ${uptimeSeconds} s`;
      },
    })),
  );
}

function repositoryChecks({ services }: Configuration): Check[] {
  return Object.entries(services).map(([name, { repository, branch }]) => ({
    system: `Repository of ${name}`,
    address: withoutPassword(repository),
    advice: `correct services.${name}.repository and branch, and see that this machine may read it`,
    run: async (signal) => {
      const refs = await runGit(['ls-remote', '--heads', '--', repository, `refs/heads/${branch}`], {
        timeoutMs: TIMEOUT_MS,
        signal,
      });
      const commit = refs.toString('utf8').split(/\s/, 1)[0];
      if (!commit) throw new Error(`there is no branch ${branch}`);
      return `${branch} is ${commit.slice(0, 12)}`;
    },
  }));
}
