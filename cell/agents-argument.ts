/** Agents as a person writes them on a command line: `env:fat;role:ci,env:prod` are two; pure. */
import type { WholeCellOptions } from './cell.ts';
import { parseAttributes } from './mesos/attributes.ts';

export interface AgentsArgument {
  /** Attributes of each agent, with commas between agents and semicolons within one. Empty: one agent without any. */
  readonly agents: string;
  /** Of each agent, or of all alike: `4` or `4,2`. */
  readonly cpus?: string | undefined;
  /** MiB, in the same way. */
  readonly mem?: string | undefined;
  /** Task ports of each agent, such as `31000-31099,31100-31199`. */
  readonly ports?: string | undefined;
}

type Agents = WholeCellOptions['mesos']['agents'];

/** What the agents of one machine share, so these bound the number of tasks, not their speed. */
export const AGENT_CPUS = 16;
export const AGENT_MEMORY_MIB = 16_384;
export const AGENT_PORTS = 200;
/** Mesos' own default begins here. */
const FIRST_PORT = 31_000;

/** Throws an Error that says what is wrong with which argument. */
export function agentsOf({ agents, cpus, mem, ports }: AgentsArgument): Agents {
  const attributes = splitOutsideBrackets(agents);
  for (const text of attributes) parseAttributes(text);
  const each = (name: string, text: string | undefined, otherwise: number): number[] => {
    const values = perAgent(name, text, attributes.length).map((one) => (one === undefined ? otherwise : Number(one)));
    if (values.some((value) => !(value > 0))) throw new Error(`--${name} ${text}: a positive number, or one an agent`);
    return values;
  };
  const allCpus = each('cpus', cpus, AGENT_CPUS);
  const allMem = each('mem', mem, AGENT_MEMORY_MIB);
  const ranges = portRanges(ports, attributes.length);
  const named = new Map<string, number>();
  return attributes.map((text, index) => {
    const stem = stemOf(text);
    const number = (named.get(stem) ?? 0) + 1;
    named.set(stem, number);
    return {
      name: `${stem}-${number}`,
      attributes: text,
      cpus: allCpus[index] ?? AGENT_CPUS,
      mem: allMem[index] ?? AGENT_MEMORY_MIB,
      portRange: ranges[index] ?? [FIRST_PORT, FIRST_PORT],
    };
  });
}

/** The value of its first attribute, if that can be part of a host name. */
function stemOf(attributes: string): string {
  const [, value = ''] = /^\s*[^:;]+:\s*([^;]*)/.exec(attributes) ?? [];
  return /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(value.trim()) ? value.trim() : 'agent';
}

function perAgent(name: string, text: string | undefined, count: number): readonly (string | undefined)[] {
  if (text === undefined) return Array.from({ length: count }, () => undefined);
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length === 1) return Array.from({ length: count }, () => parts[0]);
  if (parts.length !== count) throw new Error(`--${name} ${text}: ${parts.length} values for ${count} agents`);
  return parts;
}

function portRanges(text: string | undefined, count: number): readonly [number, number][] {
  if (text === undefined) {
    return Array.from({ length: count }, (_, index) => {
      const first = FIRST_PORT + index * AGENT_PORTS;
      return [first, first + AGENT_PORTS - 1];
    });
  }
  const ranges = text.split(',').map((part): [number, number] => {
    const [, from = '', to = ''] = /^\s*(\d+)-(\d+)\s*$/.exec(part) ?? [];
    const [begin, end] = [Number(from), Number(to)];
    if (from === '' || begin < 1 || end < begin || end > 65_535) {
      throw new Error(`--ports ${text}: ${JSON.stringify(part)} is no range such as 31000-31199`);
    }
    return [begin, end];
  });
  if (ranges.length !== count) throw new Error(`--ports ${text}: ${ranges.length} ranges for ${count} agents`);
  const sorted = ranges.toSorted(([a], [b]) => a - b);
  if (sorted.some(([begin], index) => index > 0 && begin <= (sorted[index - 1]?.[1] ?? 0))) {
    throw new Error(`--ports ${text}: agents of one machine must not share ports`);
  }
  return ranges;
}

/** Ranges and sets have commas of their own. */
function splitOutsideBrackets(text: string): string[] {
  return text.split(/,(?![^[{]*[\]}])/);
}
