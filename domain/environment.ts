/** Where a service runs. `integration` is for tests; `production` is released to with approval, canary and bake. */
export interface Environment {
  readonly name: string;
  readonly tier: EnvironmentTier;
}

export type EnvironmentTier = 'integration' | 'production';

/** Marathon id of a revision: `/<environment>/<service>/r<number>`. */
export function revisionAppId(environment: string, service: string, revision: string): string {
  return `/${environment}/${service}/${revision}`;
}

/** Name of the n-th revision of a service in an environment, such as `r7`. */
export function revisionName(number: number): string {
  return `r${number}`;
}

/** The number in a revision's name, or in that of its baseline; undefined when the name is neither. */
export function revisionNumber(revision: string): number | undefined {
  const match = /^r([1-9][0-9]*)(-baseline)?$/.exec(revision);
  return match ? Number(match[1]) : undefined;
}

/** Name of fresh instances of a revision that a canary is compared with, such as `r7-baseline`. */
export function baselineName(revision: string): string {
  return `${revision}-baseline`;
}

/** DNS name under which a service is reached in an environment; it points to the environment's balancer. */
export function serviceDnsName(environment: string, service: string): string {
  return `${service}-${environment}.service.consul`;
}

/** Key in the config centre of one version of a service's configuration; what stands there never changes. */
export function configKey(environment: string, service: string, version: number): string {
  return `cfg/${environment}/${service}/v/${version}`;
}
