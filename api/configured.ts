import { FailureType } from '../domain/failures.ts';
import type { Configuration } from '../domain/schemas/config.ts';
import { Problem } from './problem.ts';

/** What names in requests are checked against. */
export type ConfiguredNames = Pick<Configuration, 'services' | 'environments'>;

/** @throws {Problem} `UnknownService`, with the names that there are */
export function requireService({ services }: ConfiguredNames, service: string): void {
  if (Object.hasOwn(services, service)) return;
  const known = Object.keys(services).join(', ') || 'none';
  throw new Problem(FailureType.UnknownService, `${service} is not configured; the services are: ${known}`);
}

/** @throws {Problem} `UnknownEnvironment`, with the names that there are */
export function requireEnvironment({ environments }: ConfiguredNames, environment: string): void {
  if (Object.hasOwn(environments, environment)) return;
  const known = Object.keys(environments).join(', ');
  throw new Problem(FailureType.UnknownEnvironment, `${environment} is not configured; the environments are: ${known}`);
}
