/** What the suites about operators need: calls to the master, frameworks that are torn down, and short words for both. */
import { afterEach } from '@jest/globals';
import { TestFramework } from '../integration/mesos-framework.ts';
import type { UnderTest } from './describe-on-each-mesos.ts';
import { type OperatorAnswer, operatorCall } from './operator-call.ts';

/** The answer to an order that was carried out. */
export const DONE: OperatorAnswer = { status: 200, body: '' };

interface AgentShown {
  readonly agent_info: { readonly hostname: string };
  readonly active: boolean;
  readonly deactivated: boolean;
  readonly drain_info?: { readonly state: string; readonly config: object };
  readonly estimated_drain_start_time?: object;
}

export interface OperatorSuite {
  call(body: object): Promise<OperatorAnswer>;
  /** One that has subscribed; it is torn down after the test. */
  framework(info?: object): Promise<TestFramework>;
  idOf(agentName: string): string;
  /** A registered agent as GET_AGENTS shows it. */
  shown(agentName: string): Promise<AgentShown | undefined>;
}

export function operatorSuite(under: UnderTest): OperatorSuite {
  const frameworks: TestFramework[] = [];
  afterEach(async () => {
    for (const framework of frameworks.splice(0)) {
      await framework.client.teardown();
      await framework.ended();
    }
  });
  const call = (body: object) => operatorCall(under.mesos.masterUrl, body);
  return {
    call,
    framework: async (info = {}) => {
      const started = await new TestFramework(under.mesos.masterUrl, info).connected();
      frameworks.push(started);
      return started;
    },
    idOf: (name) => under.mesos.agents.find((agent) => agent.name === name)?.id ?? '',
    shown: async (name) => {
      const { body } = await call({ type: 'GET_AGENTS' });
      const { agents } = (body as { readonly get_agents: { readonly agents: readonly AgentShown[] } }).get_agents;
      return agents.find(({ agent_info }) => agent_info.hostname === name);
    },
  };
}

/** What a framework was told of a task. */
export function toldOf(framework: TestFramework, taskId: string): unknown[][] {
  return framework.updates
    .filter(({ task_id }) => task_id.value === taskId)
    .map(({ state, reason, source, message }) => [state, reason, source, message]);
}

/** The events of a framework in order: their types, and of updates the state. */
export function kindsOf(framework: TestFramework): string[] {
  return framework.events.map((event) => (event.type === 'UPDATE' ? event.update.status.state : event.type));
}
