/** Rules between the sections of `slipway.config.yaml`. */
import { z } from 'zod';
import type { InputError } from '../failures.ts';

/** The few fields that sections share, read even when others are wrong, so that these errors show with the rest. */
const shared = z.object({
  balancers: z.record(z.string(), z.unknown()).optional().catch(undefined),
  environments: z
    .record(
      z.string(),
      z
        .object({
          balancer: z.object({ name: z.string(), port: z.number().optional().catch(undefined) }),
          releasers: z.string().optional().catch(undefined),
        })
        .optional()
        .catch(undefined),
    )
    .optional()
    .catch(undefined),
  groups: z.record(z.string(), z.unknown()).default({}).catch({}),
  services: z.record(z.string(), z.unknown()).default({}).catch({}),
  api: z
    .object({
      tokens: z.array(z.object({ name: z.string().optional().catch(undefined) }).catch({ name: undefined })).catch([]),
    })
    .optional()
    .catch(undefined),
  gitlab: z.record(z.string(), z.unknown()).optional().catch(undefined),
  ledger: z.record(z.string(), z.unknown()).optional().catch(undefined),
});

/**
 * What is wrong between the sections of a configuration, also of one whose shape is wrong, so that all errors show at
 * once.
 */
export function crossErrors(document: unknown): InputError[] {
  const view = shared.safeParse(document).data;
  if (view === undefined) return [];
  const errors: InputError[] = [];
  const balancers = view.balancers === undefined ? undefined : Object.keys(view.balancers);
  const environments = Object.entries(view.environments ?? {});
  if (balancers?.length === 0) errors.push({ path: 'balancers', message: 'is empty: write at least one balancer' });
  if (view.environments !== undefined && environments.length === 0) {
    errors.push({ path: 'environments', message: 'is empty: write at least one environment' });
  }

  const ports = new Map<string, string>();
  for (const [name, environment] of environments) {
    if (environment === undefined) continue;
    const { name: balancer, port } = environment.balancer;
    const path = `environments.${name}.balancer`;
    if (balancers !== undefined && !balancers.includes(balancer)) {
      const known = balancers.length === 0 ? 'there are none' : `the balancers are ${balancers.join(', ')}`;
      errors.push({ path: `${path}.name`, message: `names no balancer: ${known}` });
    }
    const other = ports.get(`${balancer}:${port}`);
    if (port !== undefined && other !== undefined) {
      errors.push({ path: `${path}.port`, message: `is the port of ${other} too: each environment has its own` });
    }
    ports.set(`${balancer}:${port}`, name);
    const { releasers } = environment;
    if (releasers !== undefined && !Object.hasOwn(view.groups, releasers)) {
      const known = Object.keys(view.groups).join(', ') || 'none';
      errors.push({ path: `environments.${name}.releasers`, message: `names no group; the groups are: ${known}` });
    }
  }

  errors.push(...dnsNameErrors(Object.keys(view.services), Object.keys(view.environments ?? {})));

  const tokenNames = (view.api?.tokens ?? []).map((token) => token.name);
  for (const [index, name] of tokenNames.entries()) {
    if (name !== undefined && tokenNames.indexOf(name) < index) {
      errors.push({ path: `api.tokens.${index}.name`, message: `${name} is there twice: each token has its own name` });
    }
  }
  if (view.ledger !== undefined && (view.ledger['url'] === undefined) === (view.ledger['directory'] === undefined)) {
    errors.push({ path: 'ledger', message: 'is in one place: write either url or directory' });
  }
  if (view.gitlab !== undefined && view.gitlab['token'] === undefined && view.gitlab['signingSecret'] === undefined) {
    errors.push({ path: 'gitlab', message: 'proves no sender: write token, signingSecret or both' });
  }
  return errors;
}

/** `<service>-<environment>` is a DNS label and a Consul service name: at most 63 characters, and of one pair only. */
function dnsNameErrors(services: readonly string[], environments: readonly string[]): InputError[] {
  const errors: InputError[] = [];
  const owners = new Map<string, string>();
  for (const service of services) {
    for (const environment of environments) {
      const name = `${service}-${environment}`;
      if (name.length > 63) {
        errors.push({
          path: `services.${service}`,
          message: `is too long: its DNS name in ${environment}, ${name}, has ${name.length} characters of 63`,
        });
      }
      const owner = owners.get(name);
      if (owner !== undefined) {
        errors.push({
          path: `services.${service}`,
          message: `has the DNS name ${name} in ${environment}, and so has ${owner}: rename one`,
        });
      }
      owners.set(name, `${service} in ${environment}`);
    }
  }
  return errors;
}
