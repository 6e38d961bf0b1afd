import type { Group, Groups } from '../../domain/approval.ts';
import type { Environment } from '../../domain/environment.ts';
import type { WindowTimes } from '../../domain/window.ts';

/** What a release must know of a configured environment. */
export interface EnvironmentFacts extends Environment {
  /** Only agents with this attribute run its instances. */
  readonly agentAttribute: { readonly name: string; readonly value: string };
  /** Where the environment's balancer takes requests. */
  readonly balancer: { readonly address: string; readonly port: number };
  /** Address of the registry from which its agents pull. */
  readonly registry: string;
  /** The only people who may release here; absent for everybody. */
  readonly releasers?: Group;
  /** When releases of any service may move forward here; absent for always. */
  readonly windows?: readonly WindowTimes[];
}

export type EnvironmentActivities = ReturnType<typeof createEnvironmentActivities>;

/** Activities that tell workflows what is configured. */
export function createEnvironmentActivities(environments: readonly EnvironmentFacts[], groups: Groups) {
  return {
    /** Every configured environment, in the order of the configuration. */
    async readEnvironments(): Promise<readonly EnvironmentFacts[]> {
      return environments;
    },

    /** Who belongs to each group of people. */
    async readGroups(): Promise<Groups> {
      return groups;
    },
  };
}
