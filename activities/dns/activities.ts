import { Resolver } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { serviceDnsName } from '../../domain/environment.ts';
import { FailureType } from '../../domain/failures.ts';
import { beating } from '../beating.ts';
import { ConsulClient, type ConsulOptions } from '../consul/client.ts';
import { BoundNames } from './names.ts';

export interface DnsOptions {
  readonly consul: ConsulOptions;
  /** `host:port` of Consul's DNS. */
  readonly dns: string;
}

/** A service in an environment. */
interface Where {
  readonly environment: string;
  readonly service: string;
}

export type DnsActivities = ReturnType<typeof createDnsActivities>;

/** Consul's DNS shows a registration at once on the same agent, and within a second from others. */
const VISIBLE_WITHIN_MS = 15_000;
const PAUSE_MS = 100;

/**
 * Activities on the DNS names of services, `<service>-<environment>.service.consul`. A name points to the environment's
 * balancer, never to instances, so that a release does not change it. Idempotent; what was written is asked of the DNS
 * server itself. They heartbeat all the time. Failures beyond those of Consul's client: `NotVerified` when DNS does not
 * say the same in time.
 */
export function createDnsActivities(options: DnsOptions) {
  const names = new BoundNames(new ConsulClient(options.consul));

  return {
    /**
     * Makes the name answer with this address (A) and port (SRV).
     *
     * @param input.address IPv4 address of the environment's balancer
     */
    bindName(input: Where & { readonly address: string; readonly port: number }): Promise<{ name: string }> {
      return beating(async () => {
        const { environment, service, address, port } = input;
        if (!isIPv4(address)) {
          throw ApplicationFailure.create({
            type: FailureType.RequestInvalid,
            nonRetryable: true,
            message: `the balancer of ${environment} has the address "${address}"; an IPv4 address is needed for its name`,
          });
        }
        const name = serviceDnsName(environment, service);
        await names.bind({ environment, service, address, port });
        await verify(options.dns, name, `${address} and port ${port}`, async (resolver) => {
          const [a, srv] = await Promise.all([resolver.resolve4(name), resolver.resolveSrv(name)]);
          const pointed = await Promise.all(srv.map((record) => resolver.resolve4(record.name)));
          const ports = srv.map((record) => record.port);
          return {
            holds:
              isOnly(a, address) && isOnly(ports, port) && pointed.every((addresses) => isOnly(addresses, address)),
            said: `A ${a.join(', ')}, SRV port ${ports.join(', ')} at ${pointed.flat().join(', ')}`,
          };
        });
        return { name };
      });
    },

    /** Makes the name answer with nothing. */
    unbindName(input: Where): Promise<void> {
      return beating(async () => {
        const name = serviceDnsName(input.environment, input.service);
        await names.unbind(input);
        await verify(options.dns, name, 'no address', async (resolver) => {
          const a = await resolver.resolve4(name).catch(noneIfUnknown);
          return { holds: a.length === 0, said: a.join(', ') };
        });
      });
    },
  };
}

/** Asks the DNS server until it says what it should. */
async function verify(
  server: string,
  name: string,
  wanted: string,
  ask: (resolver: Resolver) => Promise<{ readonly holds: boolean; readonly said: string }>,
): Promise<void> {
  const context = Context.current();
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([server]);
  const deadline = performance.now() + VISIBLE_WITHIN_MS;
  for (;;) {
    context.heartbeat();
    const last = performance.now() >= deadline;
    let said: string;
    try {
      const answer = await ask(resolver);
      if (answer.holds) return;
      said = `it answers ${answer.said}`;
    } catch (error) {
      if (!isDnsError(error)) throw error;
      said = error.message;
    }
    if (last) {
      throw ApplicationFailure.create({
        type: FailureType.NotVerified,
        message: `DNS ${server}: ${name} should answer with ${wanted}, but after ${VISIBLE_WITHIN_MS / 1000} s ${said}`,
      });
    }
    await context.sleep(PAUSE_MS);
  }
}

const isOnly = <T>(values: readonly T[], wanted: T): boolean =>
  values.length > 0 && values.every((value) => value === wanted);

/**
 * Errors of the resolver have the code of the DNS library, such as ENOTFOUND, ETIMEOUT or ECONNREFUSED, and the query
 * that failed. They are not all `instanceof` this realm's `Error`.
 */
function isDnsError(error: unknown): error is NodeJS.ErrnoException {
  return typeof error === 'object' && error !== null && 'code' in error && 'syscall' in error;
}

function noneIfUnknown(error: unknown): string[] {
  if (isDnsError(error) && (error.code === 'ENOTFOUND' || error.code === 'ENODATA')) return [];
  throw error;
}
