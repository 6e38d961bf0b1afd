import { Resolver } from 'node:dns/promises';
import { z } from 'zod';
import { BalancerRuntime } from '../../activities/balancer/runtime.ts';
import { serviceDnsName } from '../../domain/environment.ts';
import type { Platform } from '../../local/platform/platform.ts';

/** What the outside systems say of one service; nothing of it is asked of Slipway. */
export interface World {
  /** Marathon's apps by id, with the task ids of their healthy instances. */
  readonly apps: Readonly<Record<string, readonly string[]>>;
  /** Weight of each server of the balancer that is up, by backend and server name. */
  readonly weights: Readonly<Record<string, number>>;
  /** Addresses and ports behind the service's name in each environment, as Consul's DNS gives them. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** Traffic, scale bounds and configuration in Consul. */
  readonly keys: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 30_000;

const appsSchema = z.object({
  apps: z.array(
    z.object({
      id: z.string(),
      tasks: z.array(
        z.object({ id: z.string(), healthCheckResults: z.array(z.object({ alive: z.boolean() })).default([]) }),
      ),
    }),
  ),
});
const keysSchema = z.array(z.object({ Key: z.string(), Value: z.string().nullable() }));

/** Reads it, from every system at once. */
export async function worldOf(platform: Platform, service: string): Promise<World> {
  const environments = Object.keys(platform.urls.frontends);
  const [apps, weights, names, keys] = await Promise.all([
    readApps(platform, service),
    readWeights(platform, service),
    readNames(platform, environments, service),
    readKeys(platform, environments, service),
  ]);
  return { apps, weights, names, keys };
}

/** How many healthy instances each app has. One that a busy machine keeps from answering is ill for a moment. */
export function healthyOf({ apps }: World): (readonly [app: string, instances: number])[] {
  return Object.entries(apps).map(([id, tasks]) => [id, tasks.length] as const);
}

async function readApps(platform: Platform, service: string): Promise<World['apps']> {
  const url = `${platform.urls.marathon}/v2/apps?embed=apps.tasks`;
  const { apps } = appsSchema.parse(await getJson(url));
  return sorted(
    apps
      .filter(({ id }) => id.split('/')[2] === service)
      .map(
        ({ id, tasks }) =>
          [
            id,
            tasks
              .filter(isHealthy)
              .map((task) => task.id)
              .sort(),
          ] as const,
      ),
  );
}

function isHealthy({ healthCheckResults }: { readonly healthCheckResults: readonly { alive: boolean }[] }): boolean {
  return healthCheckResults.length > 0 && healthCheckResults.every(({ alive }) => alive);
}

async function readWeights({ systems }: Platform, service: string): Promise<World['weights']> {
  const servers = await new BalancerRuntime({
    address: systems.balancer.runtime,
    timeoutMs: TIMEOUT_MS,
  }).serversState();
  return sorted(
    servers
      .filter(({ backend, running }) => running && backend.split('.')[1] === service && !backend.startsWith('health.'))
      .map(({ backend, name, weight }) => [`${backend} ${name}`, weight] as const),
  );
}

async function readNames(
  { systems }: Platform,
  environments: readonly string[],
  service: string,
): Promise<World['names']> {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 1 });
  resolver.setServers([systems.consul.dns]);
  return sorted(
    await Promise.all(
      environments.map(async (environment) => {
        const name = serviceDnsName(environment, service);
        const [addresses, places] = await Promise.all([
          noneIfUnknown(resolver.resolve4(name)),
          noneIfUnknown(resolver.resolveSrv(name)),
        ]);
        const ports = new Set(places.map(({ port }) => port));
        return [name, addresses.flatMap((address) => [...ports].map((port) => `${address}:${port}`))] as const;
      }),
    ),
  );
}

/** Consul answers NXDOMAIN for a name without a service. */
async function noneIfUnknown<Found>(answer: Promise<Found[]>): Promise<Found[]> {
  return answer.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTFOUND') return [];
    throw error;
  });
}

async function readKeys(
  { systems }: Platform,
  environments: readonly string[],
  service: string,
): Promise<World['keys']> {
  const places = environments.flatMap((environment) => [
    `slipway/traffic/${environment}/${service}`,
    `slipway/scale/${environment}/${service}`,
    `cfg/${environment}/${service}`,
  ]);
  const found = await Promise.all(
    places.map(async (place) => keysSchema.parse(await getJson(`${systems.consul.url}/v1/kv/${place}?recurse`, []))),
  );
  return sorted(
    found.flat().map(({ Key, Value }) => [Key, Buffer.from(Value ?? '', 'base64').toString('utf8')] as const),
  );
}

async function getJson(url: string, missing?: unknown): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.status === 404 && missing !== undefined) return missing;
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${text}`);
  return JSON.parse(text);
}

function sorted<Value>(entries: readonly (readonly [string, Value])[]): Record<string, Value> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}
