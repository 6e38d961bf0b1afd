/** One configured agent of a cell on this machine: its identity, its runtimes, its port, its end and its new starts. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { FaultBoard } from '../faults/board.ts';
import { Agent } from './agent.ts';
import { agentFlags } from './agent-flags.ts';
import { agentHandler } from './agent-http.ts';
import { runtimesFor } from './agent-runtimes.ts';
import { parseAttributes } from './attributes.ts';
import { faultyHandler } from './faults.ts';
import { type Handler, type HttpServer, listen, Refusal } from './http-server.ts';
import type { CellLog } from './log.ts';
import type { CellSettings } from './options.ts';
import { parseReserved } from './reserved.ts';
import { type Amounts, amountsOf, resourcesOf } from './resources.ts';
import { Store } from './store.ts';
import { taskRecordSchema } from './task-record.ts';

/** Without an id: the agent was shut down, and starts anew with another one. */
const identitySchema = z.object({ id: z.string().optional(), port: z.number(), spec: z.string() });

type AgentSpec = CellSettings['agents'][number];

export interface AgentHostOptions {
  readonly settings: CellSettings;
  readonly spec: AgentSpec;
  /** Of this agent alone. */
  readonly directory: string;
  readonly log: CellLog;
  readonly faults: FaultBoard | undefined;
  /** An id that no agent ever had. */
  readonly newId: () => string;
}

export class AgentHost {
  readonly name: string;
  /** As offers show it. */
  readonly hostname: string;
  readonly #options: AgentHostOptions;
  readonly #store: Store;
  #agent: Agent | undefined;
  #server: HttpServer | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: AgentHostOptions) {
    this.name = options.spec.name;
    this.hostname = options.spec.hostname ?? options.spec.name;
    this.#options = options;
    this.#store = new Store(options.directory);
  }

  /** The one that runs; undefined when it was shut down. */
  get agent(): Agent | undefined {
    return this.#agent;
  }

  /** Settles when an agent that was told to shut down has ended its tasks; rejects when it could not. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /**
   * Starts an agent and takes up the tasks of its earlier run. The first one after a shutdown, or after a change of
   * attributes or resources, is a new one: it has nothing of the old one but its port, and `replaced` is the old id.
   * Throws when such a change finds tasks, or the port is taken.
   * @param sweep see `Agent.recover`
   */
  async start({
    sweep,
  }: {
    readonly sweep: boolean;
  }): Promise<{ readonly agent: Agent; readonly replaced: string | undefined }> {
    const { settings, spec, directory, log, faults, newId } = this.#options;
    const workDirectory = join(directory, 'work');
    const attributes = parseAttributes(spec.attributes);
    const total = totalOf(spec);
    const shape = JSON.stringify({ attributes, total: resourcesOf(total) });
    const known = this.#store.read('agent', identitySchema);
    const isChanged = known !== undefined && known.spec !== shape;
    if (isChanged && this.#hasLiveTasks()) {
      throw new Error(
        `agent ${spec.name} has tasks and its attributes or resources changed (${known.spec} became ${shape}); ` +
          'start it as it was and end them, or remove its directory in stateDir',
      );
    }
    const kept = isChanged ? undefined : known?.id;
    if (kept === undefined) this.#forgetTasks();

    let handle: Handler = () => {
      throw new Refusal(503, 'Agent is recovering');
    };
    const { host } = settings;
    const listening = { host, port: spec.port, preferredPort: known?.port, log };
    const server = await listen(
      listening,
      faultyHandler(faults, 'agent', (request, response) => handle(request, response)),
    );
    const id = kept ?? newId();
    this.#store.write('agent', { id, port: server.port, spec: shape });
    const agent = new Agent({
      id,
      hostname: this.hostname,
      ip: host,
      port: server.port,
      attributes,
      total,
      store: this.#store,
      workDirectory,
      runtimes: runtimesFor(this.#options, workDirectory),
      log,
      shutDown: (ended) => this.#shutDown(agent, ended),
    });
    this.#agent = agent;
    this.#server = server;
    try {
      await agent.recover({ sweep });
    } catch (error) {
      await this.closePort();
      throw error;
    }
    const flags = agentFlags({ settings, spec, port: server.port, workDirectory });
    handle = agentHandler(agent, { workDirectory, jsonAliases: settings.jsonAliases, flags });
    return { agent, replaced: isChanged ? known.id : undefined };
  }

  /** Ends every task of its agent, if one runs. Rejects when some could not be ended. */
  async stop(graceMs: number): Promise<void> {
    this.#agent?.disconnect();
    await Promise.all([this.#ended, this.#agent?.stop(graceMs)]);
  }

  /** Closes its port. */
  async closePort(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  /** Closes its port and its records. */
  async close(): Promise<void> {
    await this.closePort();
    this.#store.close();
  }

  #shutDown(agent: Agent, ended: Promise<void>): void {
    this.#ended = ended.then(async () => {
      await this.closePort();
      this.#store.write('agent', { port: agent.port, spec: this.#store.read('agent', identitySchema)?.spec ?? '' });
      this.#agent = undefined;
    });
    this.#ended.catch((error: unknown) => this.#options.log.warn(`shutting down agent ${this.name}`, error));
  }

  #hasLiveTasks(): boolean {
    return this.#store.list('tasks').some((name) => this.#store.read(name, taskRecordSchema)?.phase !== 'ended');
  }

  /** Records and sandboxes of an agent that was. */
  #forgetTasks(): void {
    for (const name of this.#store.list('tasks')) this.#store.remove(name);
    rmSync(join(this.#options.directory, 'work'), { recursive: true, force: true });
  }
}

function totalOf(spec: AgentSpec): Amounts {
  const [begin, end] = spec.portRange;
  if (begin > end) throw new Error(`agent ${spec.name}: portRange ${begin}-${end} is empty`);
  return amountsOf([
    { name: 'cpus', type: 'SCALAR', scalar: { value: spec.cpus } },
    { name: 'mem', type: 'SCALAR', scalar: { value: spec.mem } },
    { name: 'disk', type: 'SCALAR', scalar: { value: spec.disk } },
    { name: 'ports', type: 'RANGES', ranges: { range: [{ begin, end }] } },
    ...parseReserved(spec.reserved),
  ]);
}
