import { MarathonClient } from '../../activities/marathon/client.ts';
import { OperatorClient } from '../../activities/mesos/operator-client.ts';
import type { Configuration } from '../../domain/schemas/config.ts';
import type { Check } from './check.ts';

const TIMEOUT_MS = 5_000;

/** The Mesos master answers, agents with every configured attribute are there, and each Marathon has a leader. */
export function mesosChecks({ mesos, environments, builder }: Configuration): Check[] {
  const operator = new OperatorClient({ master: mesos.master, timeoutMs: TIMEOUT_MS });
  const places = [
    ...Object.entries(environments).map(
      ([name, { agentAttribute }]) => [`environment ${name}`, agentAttribute] as const,
    ),
    ['builder', builder.attribute] as const,
  ];
  const marathons = new Map<string, string[]>();
  for (const [name, { marathon }] of Object.entries(environments)) {
    marathons.set(marathon.url, [...(marathons.get(marathon.url) ?? []), name]);
  }
  return [
    {
      system: 'Mesos master',
      address: mesos.master,
      advice: 'start it, or correct mesos.master',
      run: async () => `version ${await operator.getVersion()}`,
    },
    {
      system: 'Mesos agents',
      address: mesos.master,
      advice: 'start agents with these attributes, or correct agentAttribute and builder.attribute',
      run: async () => {
        const agents = await operator.getAgents();
        const offered = new Set(
          agents.flatMap(({ agent_info }) =>
            (agent_info.attributes ?? []).map(({ name, text }) => `${name}:${text?.value}`),
          ),
        );
        const missing = places.filter(([, attribute]) => !offered.has(attribute));
        const told = missing.map(([place, attribute]) => `${attribute} (${place})`).join(', ');
        if (missing.length > 0) throw new Error(`${agents.length} agents, none with ${told}`);
        return `${agents.length} agents, every attribute is there`;
      },
    },
    ...[...marathons].map(([url, names]) => ({
      system: `Marathon of ${names.join(', ')}`,
      address: url,
      advice: `start it, or correct environments.${names[0]}.marathon.url`,
      run: async (signal: AbortSignal) => {
        const client = new MarathonClient({ url, timeoutMs: TIMEOUT_MS });
        const [{ version }, leader] = await Promise.all([client.info({ signal }), client.leader({ signal })]);
        if (leader === undefined) throw new Error(`version ${version} answers, but there is no leader`);
        return `version ${version}, leader ${leader}`;
      },
    })),
  ];
}
