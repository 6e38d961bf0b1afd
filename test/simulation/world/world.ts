import type { TrafficDocument } from '../../../domain/traffic.ts';
import type { Chance } from '../chance.ts';
import { CALM, type Fault, faultOf, isAway, type Weather } from '../faults.ts';
import { Tally } from '../tally.ts';
import { SimulatedBalancer } from './balancer.ts';
import { SimulatedConsul } from './consul.ts';
import { type Answer, type Call, type Effect, json } from './exchange.ts';
import { SimulatedInflux } from './influx.ts';
import { SimulatedMarathon, type Upcoming } from './marathon.ts';
import { SimulatedRegistry } from './registry.ts';

/** How the service behaves, by its version. */
export interface Behaviour {
  /** Share of 5xx answers. */
  readonly errors: number;
  /** Of every app of this version the first so many instances never get healthy. */
  readonly sick: number;
}

/** What the world is like besides its faults. */
export interface Climate {
  readonly behaviour: (version: string) => Behaviour;
  readonly requestsPerSecond: number;
  /** Figures of a window end so many seconds after its begin; they come so many seconds late. */
  readonly figuresFor: number;
  readonly figuresLate: number;
}

export type SystemName = 'marathon' | 'mesos' | 'consul' | 'influx' | 'registry' | 'balancer' | 'ledger';

/** What is to happen to a call, and what to call to let it happen. */
export interface Met {
  readonly fault: Fault | undefined;
  readonly nth: number;
}

const BALANCERS = [0, 1] as const;

/** A master with one large agent of each environment, by its operator API. */
const MESOS = { handle: () => json(200, { type: 'GET_AGENTS', get_agents: { agents: ['fat', 'prod'].map(agentOf) } }) };

function agentOf(environment: string): unknown {
  const scalar = (name: string, value: number) => ({ name, type: 'SCALAR', scalar: { value }, role: '*' });
  return {
    agent_info: {
      hostname: `agent-of-${environment}`,
      id: { value: `agent-of-${environment}` },
      port: 5051,
      attributes: [{ name: 'env', type: 'TEXT', text: { value: environment } }],
      resources: [],
    },
    active: true,
    version: '1.11.0',
    pid: 'slave(1)@10.1.0.1:5051',
    total_resources: [scalar('cpus', 64), scalar('mem', 65_536)],
    allocated_resources: [],
    offered_resources: [],
  };
}

/**
 * Everything outside, for one run: the systems, what goes wrong with calls to them, and every effect that Slipway had on
 * them, in order. All of it follows from the seed and from what Slipway does.
 */
export class World {
  readonly chance: Chance;
  readonly marathon: SimulatedMarathon;
  readonly consul: SimulatedConsul;
  readonly registry: SimulatedRegistry;
  readonly influx: SimulatedInflux;
  readonly balancers: readonly SimulatedBalancer[];
  readonly effects: Effect[] = [];
  /** Systems in which a change came late: whoever repeated it meanwhile made it twice. */
  readonly lateIn = new Set<SystemName>();
  /** What went wrong with the simulation itself. */
  readonly troubles: unknown[] = [];
  /** What occurred. */
  readonly met = new Tally();
  weather: Weather = CALM;
  climate: Climate;
  /** Called with each effect once it is made, before the answer to it goes out. */
  onEffect: (effect: Effect) => void = () => {};
  /** Awaited before a call that changes something is answered: the moment for a click in the middle. */
  beforeAnswer: (system: SystemName, call: Call) => Promise<void> = async () => {};
  private readonly calls = new Map<string, number>();
  /** Changes that are to be made late: after so many further calls to the system. */
  private readonly pending: { readonly system: SystemName; after: number; readonly make: () => void }[] = [];

  private readonly service: string;

  /** @param service whose name decides nothing: by another one everything goes alike */
  constructor(chance: Chance, climate: Climate, service: string) {
    this.chance = chance;
    this.service = service;
    this.climate = climate;
    const upcoming: Upcoming = {
      looks: (app, nth) =>
        chance.weighted(this.neutral(`looks ${app} ${nth}`), [
          [80, 0],
          [15, 1],
          [5, 3],
        ]),
      sick: (_app, nth, version) => this.noted('instance that is sick', nth <= this.climate.behaviour(version).sick),
      locked: (app) =>
        this.noted('app that is locked', chance.hits(this.neutral(`locked ${app}`), this.weather.share / 2)) ? 2 : 0,
    };
    const effect = (made: Effect) => {
      this.effects.push(made);
      this.onEffect(made);
    };
    this.marathon = new SimulatedMarathon(upcoming, effect);
    this.consul = new SimulatedConsul(effect);
    this.registry = new SimulatedRegistry(effect);
    this.influx = new SimulatedInflux({
      revisions: (environment, service) => this.apps(environment, service).map(({ id }) => id.split('/')[3] ?? ''),
      figures: (of) => {
        const { figuresFor, figuresLate } = this.climate;
        const missing = of.sinceFrom > figuresFor || of.untilTo < figuresLate;
        return this.noted('figures that are missing', missing) ? undefined : this.figures(of);
      },
    });
    this.balancers = BALANCERS.map(
      (number) => new SimulatedBalancer(number, this, (nth) => chance.hits(`template ${number} ${nth}`, 0.8), effect),
    );
  }

  /** The apps of a service, oldest first. */
  apps(environment: string, service: string) {
    return [...this.marathon.apps.values()].filter(({ id }) => id.startsWith(`/${environment}/${service}/`));
  }

  document(environment: string, service: string): TrafficDocument | undefined {
    const text = this.consul.value(`slipway/traffic/${environment}/${service}`);
    return text === undefined ? undefined : (JSON.parse(text) as TrafficDocument);
  }

  /**
   * Answers one HTTP call. `cut`: the connection ends without an answer; `silent`: none comes.
   *
   * @param isGone whether the caller waits no more: what it asked for is not done then, since it asks again
   */
  async answer(system: SystemName, call: Call, isGone: () => boolean): Promise<Answer | 'cut' | 'silent'> {
    const { fault } = this.meet(system, `${system} ${call.method} ${call.path}`);
    const changes = call.method !== 'GET' && call.method !== 'HEAD' && system !== 'influx' && system !== 'mesos';
    if (changes) await this.beforeAnswer(system, call);
    if (isGone()) return 'cut';
    const handle = () => this.systemOf(system).handle(call);
    switch (fault) {
      case undefined:
        return handle();
      case '503-before':
        return json(503, { message: 'not now' });
      case 'cut-before':
        return 'cut';
      case 'silent-before':
        return system === 'registry' ? 'cut' : 'silent';
      case '503-applied':
        handle();
        return json(503, { message: 'not now, although it was done' });
      case 'cut-applied':
        handle();
        return 'cut';
      case 'silent-applied':
        handle();
        return system === 'registry' ? 'cut' : 'silent';
      case 'late':
        if (changes) {
          this.lateIn.add(system);
          this.pending.push({ system, after: 2, make: handle });
        }
        return json(503, { message: 'not yet' });
    }
  }

  /** Counts a call, makes what is due, and says what goes wrong with it. */
  meet(system: SystemName, route: string): Met {
    const nth = this.count(route);
    const systemCall = this.count(system);
    this.makeDue(system);
    const fault = faultOf(this.chance, this.weather, { system, route: this.neutral(route), nth, systemCall });
    if (fault) this.met.count('fault', isAway(this.weather, { system, systemCall }) ? 'outage' : fault);
    return { fault, nth };
  }

  private noted(fault: string, occurs: boolean): boolean {
    if (occurs) this.met.count('fault', fault);
    return occurs;
  }

  private neutral(text: string): string {
    return text.replaceAll(this.service, 'service');
  }

  private count(what: string): number {
    const count = (this.calls.get(what) ?? 0) + 1;
    this.calls.set(what, count);
    return count;
  }

  private makeDue(system: SystemName): void {
    for (const change of [...this.pending]) {
      if (change.system !== system) continue;
      change.after -= 1;
      if (change.after > 0) continue;
      this.pending.splice(this.pending.indexOf(change), 1);
      change.make();
    }
  }

  private systemOf(system: SystemName): { handle(call: Call): Answer } {
    switch (system) {
      case 'marathon':
        return this.marathon;
      case 'consul':
        return this.consul;
      case 'registry':
        return this.registry;
      case 'mesos':
        return MESOS;
      case 'influx':
        return this.influx;
      default:
        throw new RangeError(`${system} does not speak HTTP`);
    }
  }

  /** What a revision gets by the weights that the balancers really have. */
  private figures(of: {
    readonly environment: string;
    readonly service: string;
    readonly revision: string;
    readonly sinceFrom: number;
    readonly seconds: number;
  }): { requests: number; errors: number; latencyMs: number } {
    const { environment, service, revision, sinceFrom, seconds } = of;
    const requests = Math.round(this.climate.requestsPerSecond * seconds * this.share(environment, service, revision));
    const app = this.marathon.apps.get(`/${environment}/${service}/${revision}`);
    const { errors } = this.climate.behaviour(app ? this.marathon.versionOf(app) : '');
    // What is left of a whole error comes as one in as many intervals as it would by chance.
    const expected = requests * errors;
    const whole = Math.floor(expected + this.chance.of(`errors ${revision} ${Math.floor(sinceFrom)}`));
    return { requests, errors: Math.min(requests, whole), latencyMs: 5 };
  }

  private share(environment: string, service: string, revision: string): number {
    const shares = this.balancers.map((balancer) => {
      const servers = balancer.list().filter(({ backend }) => backend === `${environment}.${service}`);
      const sum = (those: typeof servers) => those.reduce((total, { weight }) => total + weight, 0);
      const total = sum(servers);
      return total === 0 ? 0 : sum(servers.filter((server) => server.revision === revision)) / total;
    });
    return shares.reduce((total, share) => total + share, 0) / shares.length;
  }
}
