import { jest } from '@jest/globals';
import { AGENTS, playGolden } from './marathon/golden-play.ts';

/** Records of a real Marathon 1.11.26 whose subject is what changes of apps and tasks do. */

jest.setTimeout(60_000);

/** The recorder's Mesos offered nothing of the first agent in time. */
const WITHOUT_AGENT_1 = AGENTS.map((agent) => (agent.name === 'agent1' ? { ...agent, cpus: 0.05 } : agent));

playGolden('locked-409-and-force');
// The first free ports, so that none takes the one that an app asks for.
playGolden('ports', { stage: { marathon: { random: () => 0 } } });
playGolden('scale-and-patch');
playGolden('tasks-kill', { stage: { agents: WITHOUT_AGENT_1 } });
playGolden('deployment-delete-rollback');
