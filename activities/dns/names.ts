import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { FailureType } from '../../domain/failures.ts';
import type { ConsulClient } from '../consul/client.ts';
import type { ServiceRegistration } from '../consul/types.ts';

/** A service's name in an environment, and where it leads. */
export interface BoundName {
  readonly environment: string;
  readonly service: string;
  readonly address: string;
  readonly port: number;
}

const PREFIX = 'slipway/names/';

const AddressSchema = z.object({ address: z.string().min(1), port: z.number().int().min(1).max(65_535) });

/**
 * The names that are bound: kept in Consul's key-value store under `slipway/names/<environment>/<service>`, so that a
 * registration that an agent has lost can be made again, and registered on an agent, so that DNS answers.
 */
export class BoundNames {
  readonly #consul: ConsulClient;

  constructor(consul: ConsulClient) {
    this.#consul = consul;
  }

  async bind(name: BoundName): Promise<void> {
    const { environment, service, address, port } = name;
    const key = `${PREFIX}${environment}/${service}`;
    const value = JSON.stringify({ address, port });
    if ((await this.#consul.kvGet(key))?.value !== value) await this.#consul.kvPut(key, value);
    await this.#consul.registerService(nameRegistration(name));
  }

  async unbind({ environment, service }: Pick<BoundName, 'environment' | 'service'>): Promise<void> {
    await this.#consul.kvDelete(`${PREFIX}${environment}/${service}`);
    await this.#consul.deregisterService(nameId(environment, service));
  }

  /** Every bound name. */
  async readAll(): Promise<readonly BoundName[]> {
    const entries = await this.#consul.kvList(PREFIX);
    return entries.map(({ key, value }) => {
      const [environment = '', service = ''] = key.slice(PREFIX.length).split('/');
      return { environment, service, ...parseAddress(key, value) };
    });
  }
}

/** Whether a service of an agent is a bound name. */
export const isNameId = (id: string): boolean => id.startsWith('name:');

const nameId = (environment: string, service: string): string => `name:${environment}:${service}`;

/** The Consul service behind a name. It has no check: a balancer that is down should be seen, not vanish from DNS. */
export function nameRegistration({ environment, service, address, port }: BoundName): ServiceRegistration {
  return {
    id: nameId(environment, service),
    name: `${service}-${environment}`,
    tags: [],
    meta: { environment, service },
    address,
    port,
  };
}

function parseAddress(key: string, value: string): z.output<typeof AddressSchema> {
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    // Not JSON: the schema then says that it does not fit.
  }
  const address = AddressSchema.safeParse(json);
  if (address.success) return address.data;
  throw ApplicationFailure.create({
    type: FailureType.UnexpectedAnswer,
    nonRetryable: true,
    message: `Consul: ${key} holds no address and port: ${value}; mend or remove it`,
  });
}
