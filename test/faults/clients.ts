import { expect } from '@jest/globals';
import { serviceDnsName } from '../../domain/environment.ts';
import { type Load, startLoad } from '../../local/demo/load.ts';
import type { Platform } from '../../local/platform/platform.ts';
import { SERVICE } from './fault-platform.ts';

/** Requests a second: production's canary needs some to be judged by; elsewhere a few show any gap. */
const RATES: Readonly<Record<string, number>> = { prod: 40 };
const OTHER_RATE = 10;

/** Clients of the service in every environment; they come in through the balancer, without a pause. */
export interface Clients {
  /** Holds that each of their requests so far, of which there are some, was answered by the service, and well. */
  expectUnharmed(): Promise<void>;
  end(): Promise<void>;
}

/** Starts clients in every environment; the service must serve there. */
export async function startClients(platform: Platform): Promise<Clients> {
  const loads = new Map<string, Load>();
  for (const [environment, url] of Object.entries(platform.urls.frontends)) {
    const { hostname, port } = new URL(url);
    const target = { address: hostname, port: Number(port), host: serviceDnsName(environment, SERVICE) };
    loads.set(environment, await startLoad(target, RATES[environment] ?? OTHER_RATE));
  }
  return {
    async expectUnharmed() {
      for (const [environment, load] of loads) {
        const { requests, failed, failures, byRevision } = await load.report();
        const own500 = Object.values(byRevision).reduce((sum, revision) => sum + revision.own500, 0);
        expect({ environment, failed, failures, own500 }).toEqual({ environment, failed: 0, failures: [], own500: 0 });
        expect(requests).toBeGreaterThan(0);
      }
    },
    end: async () => {
      await Promise.all([...loads.values()].map((load) => load.end()));
    },
  };
}
