import type { WorkflowHandle } from '@temporalio/client';
import type { ReleaseView } from '../../domain/release.ts';
import {
  type LaneView,
  laneQuery,
  laneWorkflowId,
  type ReleaseResult,
  releaseQuery,
} from '../../workflows/contract.ts';
import { callerOf } from './callers.ts';
import type { EditOnTheWay } from './edits-on-the-way.ts';
import type { Illness } from './illness.ts';
import { laneOf } from './lanes.ts';
import { type Observation, observe } from './observation.ts';
import type { People } from './people.ts';
import type { SimulationRig } from './rig.ts';
import { givenTwice, type Meeting, outcomeOf, RIVAL_INVARIANTS, type Rivals } from './rival-invariants.ts';
import type { RivalScript, Scenario } from './script.ts';
import { VIEW_INVARIANTS } from './view-invariants.ts';
import type { Violation } from './violation.ts';
import { changes, type Watch } from './watch.ts';
import type { Call } from './world/exchange.ts';
import type { World } from './world/world.ts';

/** One of the two, as it is driven. */
export interface Contender {
  readonly handle: WorkflowHandle<() => Promise<ReleaseResult>>;
  readonly people: People;
  readonly watch: Watch;
  readonly illness: Illness;
  readonly edit: EditOnTheWay;
}

const ENVIRONMENTS = ['prod', 'fat'] as const;

/**
 * Two releases of one service at once. The second begins, and comes to production, while the first one waits for what the
 * script says; until it has come to its own next wait nobody speaks to the first and its time does not pass at once. So
 * who meets whom where does not depend on how quick a machine is.
 */
export class Rivalry {
  readonly script: RivalScript;
  second: Contender | undefined;
  private readonly meetings: Meeting[] = [];
  /** Production as the first one left it; undefined while the second has changed nothing there. */
  handedOver: Observation | undefined;
  private readonly first: Contender;
  private readonly rig: SimulationRig;
  private readonly world: World;
  private readonly service: string;
  private readonly violations: Violation[];
  private readonly start: () => Promise<Contender>;
  private readonly touched = new Set<string>();
  private approved = false;
  private acts: Watch;

  /** @param start starts the second one */
  constructor(
    script: RivalScript,
    first: Contender,
    under: {
      readonly rig: SimulationRig;
      readonly world: World;
      readonly scenario: Pick<Scenario, 'service'>;
      readonly violations: Violation[];
    },
    start: () => Promise<Contender>,
  ) {
    this.script = script;
    this.first = first;
    this.rig = under.rig;
    this.world = under.world;
    this.service = under.scenario.service;
    this.violations = under.violations;
    this.start = start;
    this.acts = first.watch;
  }

  /** Looks at the second one beside the first. @returns whether the first is to stay where it is meanwhile */
  async look(first: ReleaseView): Promise<boolean> {
    const waits = first.wait?.reason ?? '';
    if (!this.second && this.script.begins.includes(waits)) {
      this.second = await this.start();
      // It waits for another try there, and holds the lane.
      if (waits === 'retry') this.meets('fat');
    }
    const { second } = this;
    if (!second) return false;
    const view = await second.handle.query(releaseQuery);
    const { outcome, wait } = view;
    if (wait) this.world.met.count('wait', wait.reason);
    for (const [invariant, holds] of Object.entries(VIEW_INVARIANTS)) {
      const says = holds(view);
      if (says !== undefined) this.violations.push({ invariant, says, at: `a look at ${view.version}` });
    }
    if (outcome !== undefined || first.outcome !== undefined) return false;
    if (wait?.reason === 'approval' && !this.approved) {
      if (waits !== this.script.comes) return false;
      this.approved = true;
      this.meets('prod');
      await second.people.say(view);
      return true;
    }
    if (wait?.reason !== 'admission' || !(await this.isBehind(second))) return true;
    if (second.people.haveToSay(view)) await second.people.say(view);
    return false;
  }

  /** What must hold of the two when both have ended. */
  async judgeEnd(first: ReleaseView, second: ReleaseView): Promise<void> {
    const { meetings, rig, script, service, violations, world } = this;
    const rivals: Rivals = {
      ...{ whenBusy: script.whenBusy, first, second, meetings },
      went: this.handedOver !== undefined,
    };
    const at = `end of ${first.version} and ${second.version}`;
    const found = Object.entries(RIVAL_INVARIANTS).map(([name, holds]) => ({ invariant: name, says: holds(rivals) }));
    for (const environment of ENVIRONMENTS) {
      const lane = rig.client.getHandle(laneWorkflowId(environment, service));
      found.push({ invariant: 'a-lane-is-given-to-one', says: await givenTwice(lane) });
    }
    for (const { invariant, says } of found) if (says !== undefined) violations.push({ invariant, says, at });
    for (const name of [script.whenBusy, outcomeOf(rivals)]) world.met.count('rival', name);
  }

  /** Sees every change of both, and who makes it. */
  begin(): void {
    const { world } = this;
    world.onEffect = (effect) => this.acts.saw(effect);
    world.beforeAnswer = async (_system, call) => {
      const environment = ENVIRONMENTS.find((each) => changes(call, each));
      const caller = callerOf(call);
      if (environment === undefined) return;
      const isSecond = caller !== undefined && caller === this.second?.handle.workflowId;
      if (caller === this.first.handle.workflowId) this.touched.add(environment);
      await this.mayChange(environment, caller, isSecond, call);
      if (environment !== 'prod') return;
      this.acts = isSecond && this.second ? this.second.watch : this.first.watch;
      await this.acts.before(call);
    };
  }

  /** Whether the second one stands in the queue of a lane that the first one holds: any other lane is about to be its own. */
  private async isBehind({ handle }: Contender): Promise<boolean> {
    for (const environment of ENVIRONMENTS) {
      const lane = await laneOf(this.rig, environment, this.service);
      if (lane?.holder === this.first.handle.workflowId && lane.queue.includes(handle.workflowId)) return true;
    }
    return false;
  }

  private meets(environment: 'prod' | 'fat'): void {
    this.meetings.push({ environment, touched: this.touched.has(environment) });
  }

  /** What a lane holds is changed by whoever holds the lane, and built upon only as the plan has found it. */
  private async mayChange(
    environment: 'prod' | 'fat',
    caller: string | undefined,
    isSecond: boolean,
    call: Call,
  ): Promise<void> {
    const { rig, service, violations, world } = this;
    const at = `${call.method} ${call.path}`;
    const lane = laneWorkflowId(environment, service);
    const { holder, state }: LaneView = await rig.client.getHandle(lane).query(laneQuery);
    if (caller !== (holder ?? lane)) {
      const says = `${caller} changes what ${holder ?? 'nobody'} holds`;
      violations.push({ invariant: 'only-the-holder-changes-anything', says, at });
    }
    if (environment !== 'prod' || !isSecond || !this.second || this.handedOver) return;
    this.handedOver = observe(world, 'prod', service);
    const { plan } = await this.second.handle.query(releaseQuery);
    const [planned, found] = [plan?.from['prod']?.revision, state.current?.revision];
    if (planned === found) return;
    const says = `it was planned upon ${planned ?? 'nothing'} and goes on upon ${found ?? 'nothing'}`;
    violations.push({ invariant: 'nothing-is-built-on-what-was', says, at });
  }
}
