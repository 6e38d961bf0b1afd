import { isIPv4 } from 'node:net';
import type { AgentService, ServiceRegistration } from '../../activities/consul/types.ts';
import type { BoundName } from '../../activities/dns/names.ts';
import { isNameId, nameRegistration } from '../../activities/dns/names.ts';
import type { MarathonApp, MarathonTask } from '../../activities/marathon/types.ts';
import { RevisionLabel } from '../../domain/revision-app.ts';

/** An instance that lives. */
export interface Instance {
  /** Its service id. */
  readonly id: string;
  /** Its checks pass, so it may be registered; one that is registered already stays while it lives. */
  readonly ready: boolean;
  /** Absent while it is not known where the instance is; what is registered then stays as it is. */
  readonly registration?: ServiceRegistration;
}

/** What to change on the agent. */
export interface RegistrationPlan {
  readonly register: readonly ServiceRegistration[];
  /** Service ids. */
  readonly deregister: readonly string[];
}

/** What is registered, and what is known to be true. */
export interface Registered {
  readonly services: readonly AgentService[];
  readonly instances: readonly Instance[];
  /** Environments whose Marathon has answered: only there can an instance be known to be gone. */
  readonly environments: ReadonlySet<string>;
  readonly names: readonly BoundName[];
}

/**
 * The agent's own check is for those who ask Consul; the balancer makes its own. An instance whose end nobody reports
 * (its host died with the process that registers) leaves by it.
 */
const CHECK = { intervalSeconds: 5, timeoutSeconds: 2, startsAs: 'passing', deregisterAfterSeconds: 1800 } as const;

/** States in which a task serves or may serve again. All others are before that or after it; `TASK_KILLING` is after. */
const LIVING: ReadonlySet<string> = new Set(['TASK_RUNNING', 'TASK_UNREACHABLE']);

/**
 * The living instances of Slipway's apps.
 *
 * @param hosts address of each Mesos agent's host, undefined for one that is not known now; tasks on hosts that are
 * not named at all are somebody else's to register
 */
export function instancesOf(
  apps: readonly MarathonApp[],
  hosts: ReadonlyMap<string, string | undefined>,
): readonly Instance[] {
  return apps.flatMap((app) => {
    const service = app.labels[RevisionLabel.Service];
    const environment = app.labels[RevisionLabel.Environment];
    const revision = app.labels[RevisionLabel.Revision];
    if (!service || !environment || !revision) return [];
    return app.tasks
      .filter(({ state, host }) => LIVING.has(state) && hosts.has(host))
      .map((task): Instance => {
        const id = `${service}:${environment}:${task.id}`;
        const ready = isHealthy(app, task);
        const address = ownAddress(app, task) ?? hosts.get(task.host);
        const [port] = task.ports;
        if (address === undefined || port === undefined) return { id, ready };
        const health = healthPathOf(app);
        return {
          id,
          ready,
          registration: {
            id,
            name: service,
            tags: [environment, revision],
            meta: { environment, revision, task: task.id, app: app.id, ...(health === undefined ? {} : { health }) },
            address,
            port,
            check: { ...CHECK, ...(health === undefined ? {} : { url: `http://${address}:${port}${health}` }) },
          },
        };
      });
  });
}

/**
 * The address that the task itself has, where it stands in its host's network: then it is the host's, and needs no
 * name to be resolved. In other networks it would be one that only the host can reach.
 */
export function ownAddress(app: MarathonApp, task: MarathonTask): string | undefined {
  const inHostNetwork = app.networks.length > 0 && app.networks.every(({ mode }) => mode === 'host');
  const address = task.ipAddresses[0]?.ipAddress ?? '';
  return inHostNetwork && isIPv4(address) ? address : undefined;
}

/** Running, and every check of the app has passed for this task; without checks running is enough. */
function isHealthy(app: MarathonApp, task: MarathonTask): boolean {
  return (
    task.state === 'TASK_RUNNING' &&
    task.healthCheckResults.length >= app.healthChecks.length &&
    task.healthCheckResults.every(({ alive }) => alive)
  );
}

/** Path of the app's first HTTP check. */
function healthPathOf(app: MarathonApp): string | undefined {
  const paths = app.healthChecks.map((check) => ('path' in check ? check['path'] : undefined));
  return paths.find((path): path is string => typeof path === 'string' && path.startsWith('/'));
}

/**
 * What to register and deregister so that the agent has exactly the instances that live and the names that are bound.
 * Services that are neither are somebody else's and are left alone.
 */
export function planRegistrations({ services, instances, environments, names }: Registered): RegistrationPlan {
  const byId = new Map(services.map((service) => [service.id, service]));
  const wanted = [
    ...instances
      .filter(({ id, ready }) => ready || byId.has(id))
      .flatMap(({ registration }) => (registration === undefined ? [] : [registration])),
    ...names.map(nameRegistration),
  ];
  const stays = new Set([...instances.map(({ id }) => id), ...wanted.map(({ id }) => id)]);
  return {
    register: wanted.filter((registration) => !isRegistered(registration, byId.get(registration.id))),
    deregister: services
      .filter((service) => (isNameId(service.id) || isInstanceIn(service, environments)) && !stays.has(service.id))
      .map(({ id }) => id),
  };
}

function isInstanceIn({ id, name, meta }: AgentService, environments: ReadonlySet<string>): boolean {
  const { environment, task } = meta;
  if (environment === undefined || task === undefined || id !== `${name}:${environment}:${task}`) return false;
  return environments.has(environment);
}

function isRegistered(wanted: ServiceRegistration, found: AgentService | undefined): boolean {
  if (found === undefined) return false;
  return (
    found.name === wanted.name &&
    found.address === wanted.address &&
    found.port === wanted.port &&
    found.tags.length === wanted.tags.length &&
    wanted.tags.every((tag) => found.tags.includes(tag)) &&
    Object.keys(found.meta).length === Object.keys(wanted.meta).length &&
    Object.entries(wanted.meta).every(([key, value]) => found.meta[key] === value)
  );
}
