/** Which switch is meant for what; pure. */
import type { EventFault, RouteFault, ServerName, Switches, TaskFault } from './switches.ts';

/** A request, as far as faults look at it. */
export interface RoutedRequest {
  readonly of: ServerName;
  readonly method: string;
  /** Path and query. */
  readonly uri: string;
  /** The `type` of a call of one of Mesos' v1 APIs. */
  readonly call?: string | undefined;
}

export function concernsRequest(fault: RouteFault, request: RoutedRequest): boolean {
  return (
    (fault.of === undefined || fault.of === request.of) &&
    (fault.method === undefined || fault.method.toUpperCase() === request.method) &&
    (fault.path === undefined || new RegExp(fault.path).test(request.uri)) &&
    (fault.call === undefined || fault.call === request.call)
  );
}

export function concernsEvent(fault: EventFault, type: string): boolean {
  return fault.types === undefined || fault.types.includes(type);
}

export function concernsTask(fault: TaskFault, task: { readonly id: string; readonly agent: string }): boolean {
  return (
    (fault.agent === undefined || fault.agent === task.agent) &&
    (fault.task === undefined || new RegExp(fault.task).test(task.id))
  );
}

export function isWithheld({ offersWithheld }: Switches, agent: string): boolean {
  return typeof offersWithheld === 'boolean' ? offersWithheld : offersWithheld.includes(agent);
}

/** The names that switches mention and the cell does not have. */
export function unknownAgents(switches: Switches, names: readonly string[]): readonly string[] {
  const { agents, offersWithheld, tasks } = switches;
  const said = [
    ...Object.keys(agents),
    ...(typeof offersWithheld === 'boolean' ? [] : offersWithheld),
    ...tasks.flatMap(({ agent }) => agent ?? []),
  ];
  return [...new Set(said)].filter((name) => !names.includes(name));
}
