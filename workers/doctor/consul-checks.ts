import { Resolver } from 'node:dns/promises';
import { z } from 'zod';
import type { ConsulConfiguration } from '../../domain/schemas/config.ts';
import type { Check } from './check.ts';
import { getJson } from './get-json.ts';

const selfSchema = z.looseObject({ Config: z.looseObject({ Version: z.string(), NodeName: z.string() }) });
const DNS_TIMEOUT_MS = 4_000;
/** Every server registers this service; it is there as soon as Consul is. */
const OWN_NAME = 'consul.service.consul';

/** Consul's agent answers, a leader is elected, and its DNS resolves. */
export function consulChecks({ url, dns, token }: ConsulConfiguration): Check[] {
  const headers = token === undefined ? {} : { 'x-consul-token': token };
  return [
    {
      system: 'Consul',
      address: url,
      advice: 'start the agent, or correct consul.url and consul.token',
      run: async (signal) => {
        const { Config } = await getJson(new URL('/v1/agent/self', url), selfSchema, signal, headers);
        const leader = await getJson(new URL('/v1/status/leader', url), z.string(), signal, headers);
        if (leader === '') throw new Error(`${Config.Version} answers, but its cluster has no leader`);
        return `${Config.Version}, node ${Config.NodeName}`;
      },
    },
    {
      system: 'Consul DNS',
      address: dns,
      advice: 'correct consul.dns: the port of its DNS, 8600 by default',
      run: async () => {
        const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 2 });
        resolver.setServers([dns]);
        const addresses = await resolver.resolve4(OWN_NAME);
        return `${OWN_NAME} is ${addresses.join(', ')}`;
      },
    },
  ];
}
