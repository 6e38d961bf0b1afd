import type { TrafficDocument } from '../../../domain/traffic.ts';
import type { SimulatedConsul } from './consul.ts';
import type { OnEffect } from './exchange.ts';
import type { SimulatedMarathon } from './marathon.ts';

/** One server of a backend, as one balancer has it. */
export interface SimulatedServer {
  readonly backend: string;
  readonly name: string;
  readonly revision: string;
  weight: number;
}

const PREFIX = 'slipway/traffic/';
const STATE_COLUMNS =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state';
const STAT_COLUMNS =
  '# pxname,svname,status,weight,type,scur,econ,eresp,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,rtime';

/**
 * One HAProxy with its consul-template: its servers are the live instances of every service that has a traffic document,
 * a new one with the document's weight. A changed document is applied to the servers that are there at once, or left to
 * whoever speaks to the runtime API, as the seed says.
 */
export class SimulatedBalancer {
  private readonly servers = new Map<string, SimulatedServer>();
  private readonly applied = new Map<string, string>();
  private readonly number: number;
  private readonly marathon: SimulatedMarathon;
  private readonly consul: SimulatedConsul;
  private readonly onEffect: OnEffect;
  private readonly templateApplies: (nth: number) => boolean;
  private documents = 0;

  constructor(
    number: number,
    systems: { readonly marathon: SimulatedMarathon; readonly consul: SimulatedConsul },
    templateApplies: (nth: number) => boolean,
    onEffect: OnEffect,
  ) {
    this.number = number;
    this.marathon = systems.marathon;
    this.consul = systems.consul;
    this.templateApplies = templateApplies;
    this.onEffect = onEffect;
  }

  /** The servers as they are now. */
  list(): readonly SimulatedServer[] {
    this.follow();
    return [...this.servers.values()];
  }

  /** Answers one line of commands. */
  answer(line: string): string {
    this.marathon.lookAtAll();
    this.follow();
    return line
      .trim()
      .split(';')
      .map((command) => this.one(command))
      .join('');
  }

  private one(command: string): string {
    const servers = [...this.servers.values()];
    if (command === 'show info') return 'Name: HAProxy\nPid: 7\nUptime_sec: 100\n\n';
    if (command === 'show stat') {
      const rows = servers.map(
        ({ backend, name, weight }) =>
          `${backend},${name},${weight > 0 ? 'UP' : 'DRAIN'},${weight},2,0,0,0,0,0,0,0,0,0`,
      );
      return `${[STAT_COLUMNS, ...rows].join('\n')}\n\n`;
    }
    if (command === 'show servers state') {
      const rows = servers.flatMap(({ backend, name, revision, weight }, index) => [
        `1 ${backend} ${index} ${name} ${stateOf(weight, 0)}`,
        `2 health.${backend}.${revision} ${index} ${name} ${stateOf(1, 3)}`,
      ]);
      return `1\n${[STATE_COLUMNS, ...rows].join('\n')}\n\n`;
    }
    const set = /^set weight (\S+)\/(\S+) (\d+)$/.exec(command);
    if (set) return this.setWeight(`${set[1]}/${set[2]}`, Number(set[3]));
    return command.startsWith('get var') ? '\n' : `Unknown command: '${command}'\n\n`;
  }

  private setWeight(name: string, weight: number): string {
    const server = this.servers.get(name);
    if (!server) return 'No such server.\n\n';
    server.weight = weight;
    this.onEffect({ system: 'balancer', subject: `${this.number} ${name}`, change: `weight ${weight}` });
    return '\n';
  }

  private follow(): void {
    const wanted = new Set<string>();
    for (const key of this.consul.keys(PREFIX)) {
      const text = this.consul.value(key) ?? '';
      const document = JSON.parse(text) as TrafficDocument;
      const [environment = '', service = ''] = key.slice(PREFIX.length).split('/');
      const backend = `${environment}.${service}`;
      const changed = this.applied.get(key) !== text;
      if (changed) this.documents += 1;
      this.applied.set(key, text);
      const overwrites = changed && this.templateApplies(this.documents);
      for (const app of this.marathon.apps.values()) {
        if (!app.id.startsWith(`/${environment}/${service}/`)) continue;
        const revision = app.id.split('/')[3] ?? '';
        for (const task of this.marathon.live(app)) {
          const name = `${revision}.${task.id}`;
          wanted.add(`${backend}/${name}`);
          const known = this.servers.get(`${backend}/${name}`);
          const weight = document.weights[revision] ?? 0;
          if (!known) this.servers.set(`${backend}/${name}`, { backend, name, revision, weight });
          else if (overwrites) known.weight = weight;
        }
      }
    }
    for (const name of this.servers.keys()) if (!wanted.has(name)) this.servers.delete(name);
  }
}

const stateOf = (weight: number, checkResult: number): string =>
  `10.1.0.1 2 0 ${weight} ${weight} 10 6 ${checkResult} 4 6 0`;
