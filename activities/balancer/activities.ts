import { ApplicationFailure } from '@temporalio/common';
import { sameShares } from '../../domain/drift.ts';
import { FailureType } from '../../domain/failures.ts';
import {
  achievedShares,
  serverWeights,
  type TrafficDocument,
  type TrafficServer,
  type TrafficState,
} from '../../domain/traffic.ts';
import { beating } from '../beating.ts';
import { changedByHand } from '../changed-by-hand.ts';
import { ConsulClient, type ConsulOptions } from '../consul/client.ts';
import { SharedLook } from '../shared-look.ts';
import { backendName, type StoredDocument, TrafficDocuments } from './documents.ts';
import { BalancerRuntime } from './runtime.ts';
import { serversUp, trafficServers, weightChanges } from './servers.ts';
import { deadlineIn, until } from './until.ts';

export interface BalancerOptions {
  readonly consul: ConsulOptions;
  /** Runtime API (`host:port`, or path of a unix socket) of every balancer process, by environment. */
  readonly environments: Readonly<Record<string, readonly string[]>>;
}

/** A service in an environment. */
interface Where {
  readonly environment: string;
  readonly service: string;
}

/** Looks for hand-made changes share an answer for so long. */
const SHARED_LOOK_MS = 2_000;

export interface SetTrafficInput extends Where {
  /** Percent of traffic by revision; the sum is 100. A revision that is not named gets none. */
  readonly shares: Readonly<Record<string, number>>;
  /** At least so many servers of each revision with a share must be up before any weight moves. */
  readonly servers: Readonly<Record<string, number>>;
  /** Path of the health check for instances that do not name their own. */
  readonly healthPath: string;
  /** Shares that the document must hold before, or those that are wanted; absent: whatever is there is written over. */
  readonly expected?: Readonly<Record<string, number>>;
  /** For everything: capacity, weights and reading back. */
  readonly deadlineSeconds: number;
}

export type BalancerActivities = ReturnType<typeof createBalancerActivities>;

/**
 * Activities on the traffic of a service. What is wanted is a document in Consul, from which consul-template renders
 * the balancers' configuration; weights go to every balancer by its runtime API as well, and are read back there.
 * All idempotent with absolute targets; those that change or wait heartbeat all the time, however slow a system is, and
 * end early when cancelled. Failures beyond those of Consul's and the balancers' clients: `UnknownEnvironment`,
 * `DeadlineExceeded` with what is still missing (retryable).
 */
export function createBalancerActivities(options: BalancerOptions) {
  const consul = new ConsulClient(options.consul);
  const documents = new TrafficDocuments(consul);
  const balancers = new Map(
    Object.entries(options.environments).map(([environment, addresses]) => [
      environment,
      addresses.map((address) => new BalancerRuntime({ address })),
    ]),
  );

  const balancersOf = (environment: string): readonly BalancerRuntime[] => {
    const known = balancers.get(environment);
    if (known !== undefined && known.length > 0) return known;
    throw ApplicationFailure.create({
      type: FailureType.UnknownEnvironment,
      nonRetryable: true,
      message: `no balancer is configured for environment "${environment}"; known: ${[...balancers.keys()].join(', ')}`,
    });
  };

  /** The servers of the service in every balancer, read now. */
  const readServers = async ({ environment, service }: Where): Promise<readonly TrafficServer[]> => {
    const read = balancersOf(environment).map(async (runtime) => {
      const [states, counters] = await Promise.all([runtime.serversState(), runtime.counters()]);
      return trafficServers(runtime.address, environment, service, states, counters.servers);
    });
    return (await Promise.all(read)).flat();
  };

  const readStates = (environment: string) =>
    Promise.all(
      balancersOf(environment).map(async (runtime) => ({
        address: runtime.address,
        servers: await runtime.serversState(),
      })),
    );
  const looks = new Map<string, SharedLook<Awaited<ReturnType<typeof readStates>>>>();

  /** Fewest servers up in any balancer, by revision. */
  const fewestUp = (environment: string, servers: readonly TrafficServer[]): Record<string, number> => {
    const counts = balancersOf(environment).map(({ address }) =>
      serversUp(servers.filter(({ balancer }) => balancer === address)),
    );
    const revisions = new Set(counts.flatMap((count) => Object.keys(count)));
    return Object.fromEntries(
      [...revisions].map((revision) => [revision, Math.min(...counts.map((count) => count[revision] ?? 0))]),
    );
  };

  return {
    /**
     * Gives each revision its share. First every balancer must have the expected servers of every revision with a
     * share up, by its own health check; only then do weights move, in all balancers, until each reads back as set.
     * `RequestInvalid` for shares that can't be; `NotVerified` when somebody else writes the document; `Drifted` when it
     * holds others than expected.
     */
    setTraffic(input: SetTrafficInput): Promise<TrafficState> {
      return beating(async () => {
        const { environment, service, shares, healthPath } = input;
        const deadline = deadlineIn(input.deadlineSeconds);
        const backend = backendName(environment, service);
        weightsFor(input, input.servers);

        const before = await prepareDocument(documents, input);
        const up = await until(
          { what: `the servers of ${backend} to be up`, deadline, failure: FailureType.DeadlineExceeded },
          async () => {
            const servers = await readServers(input);
            const missing = missingServers(input, balancersOf(environment), servers);
            return missing === '' ? { done: fewestUp(environment, servers) } : { missing };
          },
        );

        const weights = weightsFor(input, up);
        const document: TrafficDocument = { shares, weights, healthPath };
        const written = await documents.write(environment, service, document, before);
        await until(
          { what: `the weights of ${backend} to be set`, deadline, failure: FailureType.DeadlineExceeded },
          async () => {
            const differing: string[] = [];
            for (const runtime of balancersOf(environment)) {
              const { states, applying } = await runtime.serversWhileApplied();
              const changes = weightChanges(backend, weights, states);
              // What is applied just now may have been made before the document: it has the last word only till then.
              if (applying) differing.push(`${runtime.address} is having a configuration applied`);
              if (changes.length === 0) continue;
              await runtime.setWeights(changes);
              differing.push(
                ...changes.map(({ server, weight }) => `${server} in ${runtime.address} is not ${weight}`),
              );
            }
            return differing.length === 0 ? { done: true } : { missing: differing.join(', ') };
          },
        );
        await verifyUnchanged(documents, input, written);
        return stateOf(input, document, await readServers(input));
      });
    },

    /** What the balancers do with the service now; nothing is waited for. */
    async observeTraffic(input: Where): Promise<TrafficState> {
      const [stored, servers] = await Promise.all([
        documents.read(input.environment, input.service),
        readServers(input),
      ]);
      return stateOf(input, stored?.document, servers);
    },

    /**
     * The traffic document, as it is, and every server of the service in every balancer.
     *
     * @param input.fresh asks the balancers anew, also where they were asked a moment ago
     */
    async observeWeights(input: Where & { readonly fresh: boolean }): Promise<{
      readonly traffic: TrafficDocument | null;
      readonly servers: readonly TrafficServer[];
    }> {
      const { environment, service, fresh } = input;
      const look = looks.get(environment) ?? new SharedLook(() => readStates(environment), SHARED_LOOK_MS);
      looks.set(environment, look);
      const [stored, states] = await Promise.all([documents.read(environment, service), look.get(fresh)]);
      return {
        traffic: stored?.document ?? null,
        servers: states.flatMap(({ address, servers }) => trafficServers(address, environment, service, servers, [])),
      };
    },

    /**
     * Waits until a revision gets no requests and works on none: every server of it has weight 0 and no session, or is
     * gone. Changes no weight. What a process from before a reload still does for connections it has is not seen; idle
     * ones stay with it for at most 10 s.
     */
    drainRevision(input: Where & { readonly revision: string; readonly deadlineSeconds: number }): Promise<void> {
      return beating(async () => {
        const { environment, service, revision, deadlineSeconds } = input;
        const what = `the last requests of ${revision} in ${backendName(environment, service)}`;
        await until(
          { what, deadline: deadlineIn(deadlineSeconds), failure: FailureType.DeadlineExceeded },
          async () => {
            const busy = (await readServers(input)).filter(
              (server) => server.revision === revision && (server.weight > 0 || server.sessions > 0),
            );
            if (busy.length === 0) return { done: true };
            return {
              missing: busy
                .map(
                  ({ name, balancer, weight, sessions }) =>
                    `${name} in ${balancer}: weight ${weight}, ${sessions} requests`,
                )
                .join('; '),
            };
          },
        );
      });
    },

    /** Takes a service out of an environment's balancers: it answers to no host there any more. */
    removeTraffic(input: Where & { readonly deadlineSeconds?: number }): Promise<void> {
      return beating(async () => {
        const { environment, service, deadlineSeconds = 30 } = input;
        const backend = backendName(environment, service);
        await documents.remove(environment, service);
        await until(
          {
            what: `${backend} to leave the balancers`,
            deadline: deadlineIn(deadlineSeconds),
            failure: FailureType.DeadlineExceeded,
          },
          async () => {
            const left: string[] = [];
            for (const runtime of balancersOf(environment)) {
              const { servers } = await runtime.counters();
              if (servers.some((server) => server.backend === backend)) left.push(runtime.address);
            }
            return left.length === 0 ? { done: true } : { missing: `it is still in ${left.join(', ')}` };
          },
        );
      });
    },
  };
}

/** The document's weights; a revision without traffic is left out, so that the document does not grow. */
function weightsFor(
  { environment, service, shares }: SetTrafficInput,
  servers: Readonly<Record<string, number>>,
): TrafficDocument['weights'] {
  try {
    const weights = Object.entries(serverWeights(shares, servers).weights);
    return Object.fromEntries(weights.filter(([, weight]) => weight > 0));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw ApplicationFailure.create({
      type: FailureType.RequestInvalid,
      nonRetryable: true,
      message: `these shares can't be set for ${backendName(environment, service)}: ${error.message}`,
    });
  }
}

/** Makes the balancers know the service, with the weights they have or none, so that its servers can come up. */
async function prepareDocument(documents: TrafficDocuments, input: SetTrafficInput): Promise<StoredDocument> {
  const { environment, service, healthPath } = input;
  const before = await documents.read(environment, service);
  const { shares, weights } = before?.document ?? { shares: {}, weights: {} };
  refuseOtherShares(input, shares);
  return documents.write(environment, service, { shares, weights, healthPath }, before);
}

function refuseOtherShares(input: SetTrafficInput, found: Readonly<Record<string, number>>): void {
  const { environment, expected, service, shares } = input;
  if (expected === undefined || sameShares(found, expected, 0.01) || sameShares(found, shares, 0.01)) return;
  const said = (parts: Readonly<Record<string, number>>) =>
    Object.entries(parts)
      .map(([revision, share]) => `${revision} ${share} %`)
      .join(', ') || 'nothing';
  throw changedByHand(`the traffic of ${service} in ${environment}`, said(expected), `it is ${said(found)}`);
}

/** Which servers a balancer lacks, in words; empty when none lacks any. */
function missingServers(
  { shares, servers: expected }: SetTrafficInput,
  balancers: readonly BalancerRuntime[],
  servers: readonly TrafficServer[],
): string {
  const missing: string[] = [];
  for (const { address } of balancers) {
    for (const [revision, share] of Object.entries(shares)) {
      const wanted = share > 0 ? (expected[revision] ?? 0) : 0;
      const known = servers.filter((server) => server.balancer === address && server.revision === revision);
      const others = known.filter(({ status }) => status !== 'up').map(({ name, status }) => `, ${name} is ${status}`);
      const up = known.length - others.length;
      if (up < wanted) missing.push(`${address} has ${up} of ${wanted} servers of ${revision} up${others.join('')}`);
    }
  }
  return missing.join('; ');
}

async function verifyUnchanged(
  documents: TrafficDocuments,
  { environment, service }: Where,
  written: StoredDocument,
): Promise<void> {
  const now = await documents.read(environment, service);
  if (now?.modifyIndex === written.modifyIndex) return;
  throw ApplicationFailure.create({
    type: FailureType.NotVerified,
    message: `the traffic document of ${backendName(environment, service)} was changed by somebody else while its weights were set`,
    details: [{ wrote: written.document, found: now?.document ?? null }],
  });
}

function stateOf(
  { environment, service }: Where,
  document: TrafficDocument | undefined,
  servers: readonly TrafficServer[],
): TrafficState {
  const weights: Record<string, number> = {};
  for (const { revision, weight } of servers) weights[revision] = Math.max(weights[revision] ?? 0, weight);
  return {
    environment,
    service,
    shares: document?.shares ?? {},
    weights,
    achieved: achievedShares(weights, serversUp(servers)),
    servers,
  };
}
