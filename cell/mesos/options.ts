/** What a cell is started with. */
import { z } from 'zod';

const port = z.number().int().min(0).max(65535);

const agent = z.object({
  /** Unique in the cell; also the host name that offers show, unless `hostname` says another. */
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]*$/, 'letters, digits, dots and dashes'),
  hostname: z.string().min(1).optional(),
  /** As Mesos' `--attributes`: `env:fat;rack:r1`. */
  attributes: z.string().default(''),
  cpus: z.number().positive(),
  /** MiB. */
  mem: z.number().positive(),
  /** MiB; only counted, never enforced. */
  disk: z.number().nonnegative().default(10_000),
  /** As in Mesos' `--resources`, beside the above: `cpus(ci):2;mem(ci):512;ports(ci):[31900-31909]`. */
  reserved: z.string().default(''),
  /** First and last port of its offers. Agents of one machine must not share any. */
  portRange: z.tuple([port, port]),
  /** Where the agent itself listens; 0: a free port, the same one after a restart if it can be had. */
  port: port.default(0),
});

export const cellOptionsSchema = z.object({
  /** Where everything listens, and the address tasks report. */
  host: z.string().default('127.0.0.1'),
  /** The master's; 0: a free port, the same one after a restart if it can be had. */
  port: port.default(0),
  /** Without it Docker tasks fail. */
  docker: z.object({ socketPath: z.string().min(1) }).optional(),
  /** False: tasks are only kept in the books, whatever they are, and run until they are killed. */
  runTasks: z.boolean().default(true),
  /**
   * What holds command tasks to their resources. `posix`, Mesos' default: nothing does. `cgroups`: CPU shares and a
   * memory limit by control groups, of version 1 or 2; needs root.
   */
  isolation: z.enum(['posix', 'cgroups']).default('posix'),
  agents: z.array(agent).min(1),
  /** Records and sandboxes; a cell started on it again finds its tasks. */
  stateDir: z.string().min(1),
  /** Variables that command tasks inherit; default: this process' PATH, HOME, USER, LANG, TZ and TMPDIR. */
  taskEnvironment: z.record(z.string(), z.string()).optional(),
  /** Also answers to the names of before Mesos 0.25, such as `/state.json`, which old tools ask for. */
  jsonAliases: z.boolean().default(false),
  heartbeatMs: z.number().positive().default(15_000),
  /**
   * Cuts the records of event streams at points that follow from this seed, and joins parts of several, to test that
   * clients put them together again. Without it each record is sent whole.
   */
  streamCutSeed: z.int().optional(),
  allocationIntervalMs: z.number().positive().default(1_000),
  /** How long an agent may be silent: five pings of 15 s, as in Mesos. */
  agentTimeoutMs: z.number().nonnegative().default(75_000),
  /** How long an agent of an earlier run may take to come back to this one: ten minutes, as in Mesos. */
  agentReregisterTimeoutMs: z.number().nonnegative().default(600_000),
  /** How long the Docker engine may answer nothing before its agents count as cut off from their master. */
  engineTimeoutMs: z.number().positive().default(15_000),
  /** For every call to the engine that should answer at once; removing a busy container takes longest. */
  engineCallTimeoutMs: z.number().positive().default(60_000),
  /** A pull that tells nothing for so long has failed. */
  pullSilenceMs: z.number().positive().default(300_000),
  /** What tasks get between SIGTERM and SIGKILL when the cell is stopped. */
  stopGraceMs: z.number().nonnegative().default(3_000),
});

/** As a caller writes it; what has a default may be left out. */
export type CellOptions = z.input<typeof cellOptionsSchema>;
/** Complete. */
export type CellSettings = z.output<typeof cellOptionsSchema>;
