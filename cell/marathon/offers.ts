import type { Attribute, Offer, Range, Resource } from '../../activities/mesos/types.ts';
import { isResident } from './app.ts';
import { decimalText, type Placement, satisfies } from './constraints.ts';
import type { AppConfig } from './model.ts';

/** Decides whether an offer can take an instance, and with which ports. */

/** In the order in which they are looked at: an offer counts up to the first that fails. */
export const REJECT_REASONS = [
  'UnfulfilledRole',
  'UnfulfilledConstraint',
  'NoCorrespondingReservationFound',
  'AgentMaintenance',
  'InsufficientCpus',
  'InsufficientMemory',
  'InsufficientDisk',
  'InsufficientGpus',
  'InsufficientPorts',
  'DeclinedScarceResources',
] as const;

export type RejectReason = (typeof REJECT_REASONS)[number];

/** What an offer has left while instances are placed on it. Only unreserved resources (role `*`) count. */
export interface Remains {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus: number;
  readonly ports: readonly Range[];
}

export type Match =
  | { readonly fits: true; readonly ports: readonly number[]; readonly remains: Remains }
  | { readonly fits: false; readonly reason: RejectReason };

/** Doubles add up with errors; Mesos counts in thousandths. */
const EPSILON = 0.0005;

export function remainsOf(offer: Offer): Remains {
  const unreserved = offer.resources.filter((resource) => (resource.role ?? '*') === '*' && !isReserved(resource));
  const scalar = (name: string) =>
    unreserved
      .filter((resource) => resource.name === name)
      .reduce((sum, resource) => sum + (resource.scalar?.value ?? 0), 0);
  return {
    cpus: scalar('cpus'),
    mem: scalar('mem'),
    disk: scalar('disk'),
    gpus: scalar('gpus'),
    ports: unreserved.filter(({ name }) => name === 'ports').flatMap((resource) => resource.ranges?.range ?? []),
  };
}

/**
 * @param placed where the app's other instances are
 * @param random uniform in [0, 1): which of the free ports is taken
 * @param nowMs for maintenance windows
 * @param options.groupByQuota the rule of 1.11 for `GROUP_BY`
 */
export function matchOffer(
  app: AppConfig,
  offer: Offer,
  remains: Remains,
  placed: readonly Placement[],
  random: () => number,
  nowMs: number,
  options: { readonly groupByQuota?: boolean } = {},
): Match {
  const no = (reason: RejectReason): Match => ({ fits: false, reason });
  if (app.acceptedResourceRoles && !app.acceptedResourceRoles.includes('*')) return no('UnfulfilledRole');
  const agent = placementOf(offer);
  const quota = options.groupByQuota ? { instances: app.instances } : undefined;
  if (!app.constraints.every((constraint) => satisfies(constraint, agent, placed, quota)))
    return no('UnfulfilledConstraint');
  // Volumes that stay would need reservations, which this Marathon does not make.
  if (isResident(app.container)) return no('NoCorrespondingReservationFound');
  if (inMaintenance(offer, nowMs)) return no('AgentMaintenance');
  if (remains.cpus + EPSILON < app.cpus) return no('InsufficientCpus');
  if (remains.mem + EPSILON < app.mem) return no('InsufficientMemory');
  if (remains.disk + EPSILON < app.disk) return no('InsufficientDisk');
  if (remains.gpus + EPSILON < app.gpus) return no('InsufficientGpus');
  const ports = choosePorts(wantedHostPorts(app), remains.ports, random);
  if (!ports) return no('InsufficientPorts');
  return {
    fits: true,
    ports,
    remains: {
      cpus: remains.cpus - app.cpus,
      mem: remains.mem - app.mem,
      disk: remains.disk - app.disk,
      gpus: remains.gpus - app.gpus,
      ports: withoutPorts(remains.ports, ports),
    },
  };
}

/** The fields of an offer's agent that constraints can name. */
export function placementOf(offer: Offer): Placement {
  return {
    ...Object.fromEntries(offer.attributes.map((attribute) => [attribute.name, attributeText(attribute)])),
    hostname: offer.hostname,
  };
}

/** As `env:prod` is written: ranges `[1-3,5-5]` and sets `{a,b}` in order, numbers with at most three decimals. */
export function attributeText(attribute: Attribute): string {
  switch (attribute.type) {
    case 'TEXT':
      return attribute.text?.value ?? '';
    case 'SCALAR':
      return decimalText(attribute.scalar?.value ?? 0);
    case 'RANGES':
      return `[${rangesText(attribute.ranges?.range ?? [])}]`;
    case 'SET':
      return `{${(attribute.set?.item ?? []).toSorted().join(',')}}`;
  }
}

function rangesText(ranges: readonly Range[]): string {
  const inOrder = ranges.toSorted((a, b) => a.begin - b.begin);
  return inOrder.map(({ begin, end }) => `${begin}-${end}`).join(',');
}

/** One entry per host port an instance needs: a number, or 0 for any. */
function wantedHostPorts(app: AppConfig): readonly number[] {
  if (app.portDefinitions) return app.portDefinitions.map(({ port }) => (app.requirePorts ? port : 0));
  return (app.container?.portMappings ?? []).flatMap((mapping) => mapping.hostPort ?? []);
}

function choosePorts(
  wanted: readonly number[],
  ranges: readonly Range[],
  random: () => number,
): readonly number[] | undefined {
  const fixed = wanted.filter((port) => port !== 0);
  if (!fixed.every((port) => ranges.some(({ begin, end }) => begin <= port && port <= end))) return undefined;
  let free = withoutPorts(ranges, fixed);
  const chosen: number[] = [];
  for (const port of wanted) {
    const one = port === 0 ? randomPort(free, random) : port;
    if (one === undefined) return undefined;
    chosen.push(one);
    free = withoutPorts(free, [one]);
  }
  return chosen;
}

/** Random, so that a port that something else holds on the host is not chosen for ever. */
function randomPort(ranges: readonly Range[], random: () => number): number | undefined {
  const total = ranges.reduce((sum, { begin, end }) => sum + end - begin + 1, 0);
  let index = Math.floor(random() * total);
  for (const { begin, end } of ranges) {
    const size = end - begin + 1;
    if (index < size) return begin + index;
    index -= size;
  }
  return undefined;
}

function withoutPorts(ranges: readonly Range[], ports: readonly number[]): readonly Range[] {
  let left = ranges;
  for (const port of ports) {
    left = left.flatMap(({ begin, end }) =>
      port < begin || port > end
        ? [{ begin, end }]
        : [
            { begin, end: port - 1 },
            { begin: port + 1, end },
          ].filter((range) => range.begin <= range.end),
    );
  }
  return left;
}

function isReserved(resource: Resource): boolean {
  const reservations: unknown = Reflect.get(resource, 'reservations');
  return Array.isArray(reservations) && reservations.length > 0;
}

function inMaintenance(offer: Offer, nowMs: number): boolean {
  if (!offer.unavailability) return false;
  const start = Number(offer.unavailability.start.nanoseconds) / 1e6;
  const { duration } = offer.unavailability;
  const end = duration ? start + Number(duration.nanoseconds) / 1e6 : Number.POSITIVE_INFINITY;
  return start <= nowMs && nowMs < end;
}
