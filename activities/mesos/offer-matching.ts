/** Whether an offer fits a task, and what is taken from it; pure. */
import type { Offer, Range, Resource } from './types.ts';

/** What a task needs; `mem` and `disk` in MiB. */
export interface NeededResources {
  readonly cpus: number;
  readonly mem: number;
  readonly disk?: number | undefined;
  /** How many ports. */
  readonly ports?: number | undefined;
}

export interface OfferWish {
  readonly resources: NeededResources;
  /** Each must be a TEXT attribute of the agent with exactly this value. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Ids of agents that must not be used. */
  readonly excludeAgents: readonly string[];
}

/** What to put into the task, or why the offer does not fit, in words for a person. */
export type OfferMatch =
  | { readonly fits: true; readonly resources: readonly Resource[]; readonly ports: readonly number[] }
  | {
      readonly fits: false;
      readonly because: string;
      /** True when no later offer of this agent can fit either. */
      readonly lasting: boolean;
    };

/**
 * Takes from the offer exactly what is needed, with the offer's own role and allocation, ports lowest first.
 * Attributes are looked at before resources, so the reason names the one that can't change.
 */
export function matchOffer(offer: Offer, wish: OfferWish): OfferMatch {
  if (wish.excludeAgents.includes(offer.agent_id.value))
    return { fits: false, because: 'the agent is excluded', lasting: true };
  for (const [name, value] of Object.entries(wish.attributes)) {
    const attribute = offer.attributes.find((each) => each.name === name && each.type === 'TEXT');
    if (attribute?.text?.value !== value) {
      return {
        fits: false,
        because: attribute === undefined ? `no attribute ${name}` : `${name} is ${attribute.text?.value}`,
        lasting: true,
      };
    }
  }
  const taken: Resource[] = [];
  for (const name of ['cpus', 'mem', 'disk'] as const) {
    const needed = wish.resources[name] ?? 0;
    if (needed === 0) continue;
    const enough = offer.resources.find((each) => each.name === name && (each.scalar?.value ?? 0) >= needed);
    if (enough === undefined) {
      const most = Math.max(
        0,
        ...offer.resources.filter((each) => each.name === name).map((each) => each.scalar?.value ?? 0),
      );
      return { fits: false, because: `${name} ${needed} needed, ${most} offered`, lasting: false };
    }
    taken.push({ ...enough, scalar: { value: needed } });
  }
  const count = wish.resources.ports ?? 0;
  if (count === 0) return { fits: true, resources: taken, ports: [] };
  const offered = offer.resources.find((each) => each.name === 'ports' && firstPorts(each, count).length === count);
  if (offered === undefined) return { fits: false, because: `${count} ports needed, fewer offered`, lasting: false };
  const ports = firstPorts(offered, count);
  const range: Range[] = ports.map((port) => ({ begin: port, end: port }));
  return { fits: true, resources: [...taken, { ...offered, ranges: { range } }], ports };
}

/** `role:ci;rack:r1`, as operators write attributes. */
export function attributesText(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}:${value}`)
    .join(';');
}

/** The TEXT attributes of an offer's agent in the same writing. */
export function offeredAttributes(offer: Offer): string {
  const texts = offer.attributes.flatMap(({ name, text }) => (text === undefined ? [] : [[name, text.value] as const]));
  return attributesText(Object.fromEntries(texts)) || 'no attributes';
}

function firstPorts(resource: Resource, count: number): number[] {
  const ports: number[] = [];
  for (const { begin, end } of resource.ranges?.range ?? []) {
    for (let port = begin; port <= end && ports.length < count; port += 1) ports.push(port);
  }
  return ports;
}
