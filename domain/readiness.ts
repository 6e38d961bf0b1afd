import { counted } from './counted.ts';

/** What going back would need. */
export interface WayBack {
  /** Such as `sample@sha256:...`. */
  readonly image: string;
  /** Version in the config centre; 0 where the service had none. */
  readonly configVersion: number;
  /** Instances that would have to be started again; 0 while all are kept. */
  readonly instances: number;
  /** Of one instance. */
  readonly cpus: number;
  readonly memoryMiB: number;
}

/** What an agent has left that nobody reserved. */
export interface FreeAgent {
  readonly name: string;
  readonly cpus: number;
  readonly memoryMiB: number;
}

/** What was found of it. */
export interface ReadinessSeen {
  /** What each replica of the registry lacks of the image: digests of its manifest, configuration and layers. */
  readonly replicas: readonly { readonly address: string; readonly missing: readonly string[] }[];
  readonly configFound: boolean;
  /** Agents on which the instances may run. */
  readonly agents: readonly FreeAgent[];
}

/** Something without which going back would fail or be slow. */
export interface ReadinessGap {
  readonly kind: 'image' | 'config' | 'capacity';
  /** What is missing and what to do about it. */
  readonly sentence: string;
}

/** Weights of doubles add up inexactly: so much less than needed is enough. */
const ROUNDING = 1e-9;

/** How many instances find room, each whole on one agent. */
export function roomFor(
  agents: readonly FreeAgent[],
  { cpus, memoryMiB }: Pick<WayBack, 'cpus' | 'memoryMiB'>,
): number {
  return agents.reduce((sum, agent) => {
    const byCpus = cpus > 0 ? (agent.cpus + ROUNDING) / cpus : Number.POSITIVE_INFINITY;
    const byMemory = memoryMiB > 0 ? (agent.memoryMiB + ROUNDING) / memoryMiB : Number.POSITIVE_INFINITY;
    return sum + Math.max(0, Math.floor(Math.min(byCpus, byMemory)));
  }, 0);
}

/** Everything that going back lacks; empty when it is ready. */
export function readinessGaps(needs: WayBack, seen: ReadinessSeen): readonly ReadinessGap[] {
  const gaps: ReadinessGap[] = [];
  for (const { address, missing } of seen.replicas) {
    if (missing.length === 0) continue;
    gaps.push({
      kind: 'image',
      sentence: `registry ${address} lacks ${missing.join(', ')} of ${needs.image}; push that image again`,
    });
  }
  if (needs.configVersion > 0 && !seen.configFound) {
    gaps.push({
      kind: 'config',
      sentence: `version ${needs.configVersion} of the configuration is not there any more; publish it again`,
    });
  }
  const room = needs.instances === 0 ? 0 : roomFor(seen.agents, needs);
  if (room < needs.instances) {
    gaps.push({
      kind: 'capacity',
      sentence: `there is room for ${room} of the ${counted(needs.instances, 'instance')} that going back would start (${needs.cpus} CPUs and ${needs.memoryMiB} MiB each); free some or add an agent`,
    });
  }
  return gaps;
}
