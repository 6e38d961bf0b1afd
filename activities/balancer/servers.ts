import type { TrafficServer } from '../../domain/traffic.ts';
import { backendName } from './documents.ts';
import type { WeightChange } from './runtime.ts';
import type { ServerCounters, ServerState } from './runtime-answers.ts';

/** The revision in a server's name, `<revision>.<task>`. */
export const revisionOf = (server: string): string => server.split('.', 1)[0] ?? server;

/**
 * The servers of one service as one balancer has them. Each tracks a server of the same name in a backend of its own,
 * `health.<environment>.<service>.<revision>`, which makes the checks.
 */
export function trafficServers(
  balancer: string,
  environment: string,
  service: string,
  states: readonly ServerState[],
  counters: readonly ServerCounters[],
): readonly TrafficServer[] {
  const backend = backendName(environment, service);
  return states
    .filter((state) => state.backend === backend)
    .map((state) => {
      const revision = revisionOf(state.name);
      const health = states.find(
        ({ backend: owner, name }) => owner === `health.${backend}.${revision}` && name === state.name,
      );
      const counted = counters.find(({ backend: owner, name }) => owner === backend && name === state.name);
      return {
        balancer,
        revision,
        name: state.name,
        status: statusOf(state, health),
        weight: state.weight,
        sessions: counted?.sessions ?? 0,
      };
    });
}

function statusOf(state: ServerState, health: ServerState | undefined): TrafficServer['status'] {
  if (state.withdrawn) return 'maintenance';
  if (!state.running) return 'down';
  // A server counts as running from the start; that says nothing before its first check.
  return health?.checkPassed === true ? 'up' : 'unchecked';
}

/** How many servers of each revision are up. */
export function serversUp(servers: readonly TrafficServer[]): Record<string, number> {
  const up: Record<string, number> = {};
  for (const { revision, status } of servers) up[revision] = (up[revision] ?? 0) + (status === 'up' ? 1 : 0);
  return up;
}

/**
 * What to set so that every server of a backend has the weight of its revision (0 for one without). Weights that rise
 * come first, so that no moment is without servers.
 */
export function weightChanges(
  backend: string,
  weights: Readonly<Record<string, number>>,
  states: readonly ServerState[],
): readonly WeightChange[] {
  return states
    .filter((state) => state.backend === backend)
    .map((state) => ({ state, wanted: weights[revisionOf(state.name)] ?? 0 }))
    .filter(({ state, wanted }) => state.weight !== wanted)
    .sort((one, other) => Number(other.wanted > other.state.weight) - Number(one.wanted > one.state.weight))
    .map(({ state, wanted }) => ({ backend, server: state.name, weight: wanted }));
}
