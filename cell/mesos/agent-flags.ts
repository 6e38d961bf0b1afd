/** How an agent is set: flags of Mesos that have a meaning here, and those that say what it does not do. */
import { CONTAINER_SANDBOX } from './docker-request.ts';
import type { CellSettings } from './options.ts';

export interface FlaggedAgent {
  readonly settings: Pick<CellSettings, 'docker' | 'host' | 'isolation'>;
  readonly spec: CellSettings['agents'][number];
  /** Where it listens. */
  readonly port: number;
  readonly workDirectory: string;
}

export function agentFlags({ settings, spec, port, workDirectory }: FlaggedAgent): Record<string, string> {
  const { docker, host, isolation } = settings;
  const [first, last] = spec.portRange;
  const amounts = [`cpus:${spec.cpus}`, `mem:${spec.mem}`, `disk:${spec.disk}`, `ports:[${first}-${last}]`];
  return {
    attributes: spec.attributes,
    authenticate_http_executors: 'false',
    authenticate_http_readonly: 'false',
    authenticate_http_readwrite: 'false',
    containerizers: docker === undefined ? 'mesos' : 'docker,mesos',
    default_role: '*',
    ...(docker && { docker_socket: docker.socketPath }),
    help: 'false',
    hostname: spec.hostname ?? spec.name,
    ip: host,
    isolation: `${isolation}/cpu,${isolation}/mem`,
    launcher: 'posix',
    port: String(port),
    quiet: 'false',
    recover: 'reconnect',
    resources: [...amounts, spec.reserved].filter((part) => part !== '').join(';'),
    sandbox_directory: CONTAINER_SANDBOX,
    strict: 'true',
    switch_user: 'false',
    version: 'false',
    work_dir: workDirectory,
  };
}
