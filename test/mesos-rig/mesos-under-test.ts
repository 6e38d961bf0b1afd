/** One Mesos for tests, of two kinds: the embedded one of `cell/mesos` and a real Mesos 1.11.0. */
import { freePortBlock } from '../../local/platform/ports.ts';

export type MesosKind = 'embedded' | 'real';

export interface AgentSetup {
  /** Also the host name that offers show. */
  readonly name: string;
  /** Such as `env:fat;rack:r1`. */
  readonly attributes: string;
  /** Default 4. */
  readonly cpus?: number;
  /** MiB; default 4096. */
  readonly mem?: number;
  /** What it reserves for roles, beside the above: `cpus(ci):2;mem(ci):512`. */
  readonly reserved?: string;
  /** First and last port of its offers; default: 100 free ones. */
  readonly portRange?: readonly [number, number];
}

export interface MesosSetup {
  readonly agents: readonly AgentSetup[];
  /** Path of a Docker engine's socket; without it Docker tasks fail. */
  readonly dockerSocket?: string | undefined;
  /** Tests wait until a silent agent is lost: see `agentTimeoutMs`. By default none is lost for being slow. */
  readonly losesAgents?: boolean;
  /** Added to what command tasks inherit: PATH, HOME, USER, LANG, TZ and TMPDIR. */
  readonly taskEnvironment?: Readonly<Record<string, string>>;
}

export interface AgentUnderTest {
  readonly id: string;
  readonly name: string;
  readonly attributes: string;
  /** Such as `http://127.0.0.1:5051`. */
  readonly url: string;
}

export interface MesosUnderTest {
  readonly kind: MesosKind;
  /** Such as `http://127.0.0.1:5050`. */
  readonly masterUrl: string;
  /** In the order in which they were asked for. */
  readonly agents: readonly AgentUnderTest[];
  /** The agent falls silent while its tasks go on. Where the setup `losesAgents`, they are unreachable after a while. */
  partition(agentName: string): void;
  /** The agent speaks again. */
  heal(agentName: string): Promise<void>;
  /** The connection to the agent breaks, which the master learns at once. A real agent dies, and its tasks with it. */
  breakOff(agentName: string): Promise<void>;
  /** The agent that was broken off registers again, under its id. */
  comeBack(agentName: string): Promise<void>;
  /** Heals every agent that is still silent, and brings back every one that is broken off. */
  restoreAgents(): Promise<void>;
  /** Ends every task, every agent and the master; leaves no process, container or file. */
  stop(): Promise<void>;
}

const AGENT_PORTS = 100;
/** Longer than any agent stalls. */
const PATIENT_MS = 60_000;
/** Tests wait as long; a real agent that stalls as long, which its disk can make it do, is lost without being asked to. */
const LOST_AFTER_MS = { embedded: 1_000, real: 8_000 } as const;

/** How long an agent may be silent before its tasks are unreachable; a real master counts whole seconds. */
export function agentTimeoutMs({ losesAgents }: MesosSetup, kind: MesosKind): number {
  return losesAgents ? LOST_AFTER_MS[kind] : PATIENT_MS;
}

/** Where an agent's offers get their ports from. */
export async function portRangeOf({ portRange }: AgentSetup): Promise<[number, number]> {
  if (portRange !== undefined) return [...portRange];
  const first = await freePortBlock(AGENT_PORTS);
  return [first, first + AGENT_PORTS - 1];
}

/** Whom a test has cut off and not yet brought back. */
export class CutOff {
  readonly #names = new Set<string>();
  readonly #bringBack: (name: string) => void | Promise<void>;

  /** @param bringBack how one comes back */
  constructor(bringBack: (name: string) => void | Promise<void>) {
    this.#bringBack = bringBack;
  }

  add(name: string): void {
    this.#names.add(name);
  }

  /** Does nothing for one that is not cut off. */
  async bringBack(name: string): Promise<void> {
    if (this.#names.delete(name)) await this.#bringBack(name);
  }

  async bringAllBack(): Promise<void> {
    for (const name of this.#names) await this.bringBack(name);
  }
}

/** What command tasks inherit on either kind. */
export function taskEnvironmentOf({ taskEnvironment }: MesosSetup): Record<string, string> {
  const inherited = ['PATH', 'HOME', 'USER', 'LANG', 'TZ', 'TMPDIR'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(inherited), ...taskEnvironment };
}
