/** Where the switches stand, and what they have done so far. */
import {
  concernsEvent,
  concernsRequest,
  concernsTask,
  isWithheld,
  type RoutedRequest,
  unknownAgents,
} from './decisions.ts';
import { type Choice, choose, type Rule, type Tally, UNTOUCHED } from './rule.ts';
import {
  type AgentFault,
  type EventFault,
  NO_FAULTS,
  type RouteFault,
  type Switches,
  type SwitchesInput,
  switchesSchema,
  type TaskFault,
} from './switches.ts';

/** The parts of a cell that faults move; a cell has those that it was started with. */
export interface FaultTargets {
  /** Names of the agents. */
  readonly agents: readonly string[];
  /** Undefined: it is well. */
  setAgent(name: string, fault: AgentFault | undefined): void | Promise<void>;
  /** Something about withheld offers changed. */
  offersChanged(): void;
  /** A change of leadership is complete when this resolves. */
  setMaster(state: Switches['master']): void | Promise<void>;
}

/** What the switches of one kind of rule have seen. */
interface Counted<R extends Rule> {
  readonly rules: readonly R[];
  tallies: readonly Tally[];
}

export interface FaultView {
  readonly faults: Switches;
  /** Of each rule, in the order of the rules. */
  readonly seen: Readonly<Record<'routes' | 'events' | 'tasks', readonly Tally[]>>;
}

/** Switches that can't be set; the message says why. */
export class FaultRefusal extends Error {}

/**
 * All fault switches of one cell. They are always set as a whole, so setting the same ones again changes nothing but
 * the counts, which begin anew.
 */
export class FaultBoard {
  #switches: Switches = NO_FAULTS;
  #routes: Counted<RouteFault> = { rules: [], tallies: [] };
  #events: Counted<EventFault> = { rules: [], tallies: [] };
  #tasks: Counted<TaskFault> = { rules: [], tallies: [] };
  #mesos: FaultTargets | undefined;
  #setMarathon: ((state: Switches['marathon']) => Promise<void>) | undefined;
  /** Changes come about one after the other. */
  #changes: Promise<void> = Promise.resolve();

  attachMesos(targets: FaultTargets): void {
    this.#mesos = targets;
  }

  attachMarathon(setLeader: (state: Switches['marathon']) => Promise<void>): void {
    this.#setMarathon = setLeader;
  }

  get view(): FaultView {
    const { tallies: routes } = this.#routes;
    return { faults: this.#switches, seen: { routes, events: this.#events.tallies, tasks: this.#tasks.tallies } };
  }

  /**
   * Puts every switch as said; what is not said is off. Resolves when it is so.
   * @throws {FaultRefusal} when they are not switches, or of parts that this cell does not have; nothing changes then
   */
  set(input: SwitchesInput): Promise<FaultView> {
    const wanted = this.#checked(input);
    const change = this.#changes.then(() => this.#apply(wanted));
    this.#changes = change.then(
      () => undefined,
      () => undefined,
    );
    return change.then(() => this.view);
  }

  route(request: RoutedRequest): RouteFault | undefined {
    return this.#count(this.#routes, (fault) => concernsRequest(fault, request));
  }

  event(type: string): EventFault | undefined {
    return this.#count(this.#events, (fault) => concernsEvent(fault, type));
  }

  get eventsSilent(): boolean {
    return this.#switches.eventsSilent;
  }

  /** A task that is about to start. */
  task(task: { readonly id: string; readonly agent: string }): TaskFault | undefined {
    return this.#count(this.#tasks, (fault) => concernsTask(fault, task));
  }

  /** @param agent its name */
  isWithheld(agent: string): boolean {
    return isWithheld(this.#switches, agent);
  }

  #count<R extends Rule>(counted: Counted<R>, concerns: (rule: R) => boolean): R | undefined {
    if (counted.rules.length === 0) return undefined;
    const { fault, tallies }: Choice<R> = choose(counted.rules, counted.tallies, this.#switches.seed, concerns);
    counted.tallies = tallies;
    return fault;
  }

  #checked(input: SwitchesInput): Switches {
    const parsed = switchesSchema.safeParse(input);
    if (!parsed.success) {
      const problems = parsed.error.issues.map(({ path, message }) => [...path, message].join(': '));
      throw new FaultRefusal(problems.join('; '));
    }
    const { data } = parsed;
    const unknown = unknownAgents(data, this.#mesos?.agents ?? []);
    if (unknown.length > 0) throw new FaultRefusal(`no such agent here: ${unknown.join(', ')}`);
    if (this.#mesos === undefined && data.master === 'away') throw new FaultRefusal('master: there is none here');
    if (this.#setMarathon === undefined && data.marathon === 'away') {
      throw new FaultRefusal('marathon: there is none here');
    }
    return data;
  }

  /** What has to be carried out counts as set as soon as it was, so that what failed can be asked for again. */
  async #apply(wanted: Switches): Promise<void> {
    const { master, marathon, agents } = this.#switches;
    this.#switches = { ...wanted, master, marathon, agents };
    const fresh = <R extends Rule>(rules: readonly R[]) => ({ rules, tallies: rules.map(() => UNTOUCHED) });
    this.#routes = fresh(wanted.routes);
    this.#events = fresh(wanted.events);
    this.#tasks = fresh(wanted.tasks);
    if (this.#mesos !== undefined) await this.#applyToMesos(this.#mesos, wanted);
    if (marathon !== wanted.marathon) {
      await this.#setMarathon?.(wanted.marathon);
      this.#switches = { ...this.#switches, marathon: wanted.marathon };
    }
  }

  async #applyToMesos(mesos: FaultTargets, wanted: Switches): Promise<void> {
    mesos.offersChanged();
    if (this.#switches.master !== wanted.master) {
      await mesos.setMaster(wanted.master);
      this.#switches = { ...this.#switches, master: wanted.master };
    }
    for (const name of mesos.agents) {
      const fault = wanted.agents[name];
      const { [name]: before, ...others } = this.#switches.agents;
      if (before === fault) continue;
      await mesos.setAgent(name, fault);
      this.#switches = { ...this.#switches, agents: fault === undefined ? others : { ...others, [name]: fault } };
    }
  }
}
