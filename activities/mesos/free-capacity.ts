import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';
import type { FreeAgent } from '../../domain/readiness.ts';
import { OperatorClient } from './operator-client.ts';
import type { Agent } from './schemas.ts';
import type { Resource } from './types.ts';

/**
 * What is left on the agents that have an attribute: of what nobody reserved, what no task holds. What is on offer to
 * somebody counts as free. Fails with `SystemUnavailable` when no master answers.
 */
export function freeCapacityReader({ master }: { readonly master: string }) {
  const operator = new OperatorClient({ master, timeoutMs: 5_000 });
  return async (attribute: { readonly name: string; readonly value: string }): Promise<readonly FreeAgent[]> => {
    let agents: readonly Agent[];
    try {
      agents = await operator.getAgents();
    } catch (error) {
      throw ApplicationFailure.create({
        type: FailureType.SystemUnavailable,
        message: error instanceof Error ? error.message : String(error),
        ...(error instanceof Error ? { cause: error } : {}),
      });
    }
    return agents.filter((agent) => takesTasks(agent) && has(agent, attribute)).map(freeOf);
  };
}

function takesTasks({ active, deactivated, drain_info }: Agent): boolean {
  return active && !deactivated && drain_info === undefined;
}

function has({ agent_info }: Agent, { name, value }: { readonly name: string; readonly value: string }): boolean {
  return agent_info.attributes.some((attribute) => attribute.name === name && attribute.text?.value === value);
}

function freeOf({ agent_info, allocated_resources, total_resources }: Agent): FreeAgent {
  const left = (name: string) => unreserved(total_resources, name) - unreserved(allocated_resources, name);
  return { name: agent_info.hostname, cpus: left('cpus'), memoryMiB: left('mem') };
}

function unreserved(resources: readonly Resource[], name: string): number {
  return resources
    .filter((resource) => resource.name === name && (resource.role ?? '*') === '*')
    .reduce((sum, { scalar }) => sum + (scalar?.value ?? 0), 0);
}
