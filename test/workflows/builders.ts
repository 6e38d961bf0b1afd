import { Context } from '@temporalio/activity';
import { Connection, type WorkflowClient } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { BuilderEnd, BuilderOrder } from '../../activities/build/run-builder.ts';
import { buildTaskQueue } from '../../workflows/contract.ts';
import { startWorkflowRig, type WorkflowRig } from '../workflow-rig.ts';

/** How a builder behaves: the agents of a test, in the order in which builders are started. */
type Behaviour =
  /** Takes its stages and leaves when told to. */
  | 'works'
  /** Mesos says that it runs, but it never takes work. */
  | 'silent'
  /** Its task ends as soon as it has taken the unit tests. */
  | 'dies'
  /** Mesos says that it could not be started. */
  | 'fails-to-start'
  /** No agent takes it. */
  | 'homeless'
  /** It never takes work, and the worker that runs it dies. */
  | 'silent-without-worker'
  /** It never takes work, and Mesos refuses whoever asks for it. */
  | 'refused';

/** Builders at the activity border: what the real ones do on agents, each with a worker on its own task queue. */
export class Builders {
  readonly orders: { builderId: string; excludeAgents: readonly string[]; behaviour: Behaviour; activityId: string }[] =
    [];
  /** The builders that were ended apart from their activity, with its id. */
  readonly endedLeft: { builderId: string; activityId: string }[] = [];
  /** Stages that were done, with the builder's number. */
  readonly stages: string[] = [];
  /** Builders that are running now. */
  live = 0;
  stageFault: ((stage: string) => Promise<void>) | undefined;
  readonly #behaviours: Behaviour[];
  readonly #startSeconds: number;
  readonly #over = Promise.withResolvers<void>();
  #connection: NativeConnection | undefined;

  /**
   * @param startSeconds so long a builder may take to its first stage: one that works takes part of a second, on a busy
   * machine several; of one that is silent all of it passes
   */
  constructor(behaviours: Behaviour[], startSeconds = 120) {
    this.#behaviours = behaviours;
    this.#startSeconds = startSeconds;
  }

  /** @param others activities that are not a builder's, by name, given the rig's client */
  async start(others: (client: () => WorkflowClient) => object = () => ({})): Promise<WorkflowRig> {
    const rig: WorkflowRig = await startWorkflowRig(
      {
        ...others(() => rig.client),
        readBuilderStart: async () => ({ startSeconds: this.#startSeconds }),
        runBuilder: (input: BuilderOrder) => this.#run(input),
        endBuilder: (input: { activityId: string; order: BuilderOrder }) => this.#endLeft(input),
      },
      { server: 'dev' },
    );
    const { connection } = rig.client;
    if (!(connection instanceof Connection)) throw new Error('the rig must have a connection of its own');
    this.#connection = await NativeConnection.connect({ address: connection.options.address });
    return rig;
  }

  /** Lets what hangs end; before the rig, which waits for it. */
  async stop(): Promise<void> {
    this.#over.resolve();
    await this.#connection?.close();
  }

  async #endLeft({ activityId, order }: { activityId: string; order: BuilderOrder }): Promise<BuilderEnd> {
    const { builderId } = order;
    this.endedLeft.push({ builderId, activityId });
    this.live -= 1;
    const number = this.orders.findIndex((one) => one.builderId === builderId) + 1;
    return { ...place(number), state: 'TASK_KILLED', message: 'it was told to leave' };
  }

  async #run(input: BuilderOrder): Promise<BuilderEnd> {
    const { activityId, attempt } = Context.current().info;
    const behaviour = attempt === 1 ? (this.#behaviours[this.orders.length] ?? 'works') : this.orders.at(-1)?.behaviour;
    if (behaviour === undefined) throw new Error('a builder was not ordered');
    if (attempt === 1) this.orders.push({ ...input, behaviour, activityId });
    const number = this.orders.length;
    const { agent } = place(number);
    if (behaviour === 'silent-without-worker') {
      this.live += 1;
      await this.#over.promise;
    }
    if (behaviour === 'refused') {
      if (attempt === 1) this.live += 1;
      throw ApplicationFailure.retryable('503', 'SystemUnavailable');
    }
    if (behaviour === 'homeless') return { message: 'no agent made an offer that fits' };
    if (behaviour === 'fails-to-start') return { agent, state: 'TASK_FAILED', message: 'no such program' };
    this.live += 1;
    try {
      const died = Promise.withResolvers<void>();
      const worker = behaviour === 'silent' ? undefined : await this.#worker(input.builderId, number, died.resolve);
      const running = worker?.run();
      const beat = setInterval(() => Context.current().heartbeat(), 200);
      await Promise.race([died.promise, Context.current().cancelled.catch(() => undefined)]);
      clearInterval(beat);
      const told = Context.current().cancellationSignal.aborted;
      worker?.shutdown();
      await running;
      return { agent, state: told ? 'TASK_KILLED' : 'TASK_LOST', message: told ? 'left' : 'the agent is gone' };
    } finally {
      this.live -= 1;
    }
  }

  async #worker(builderId: string, number: number, die: () => void): Promise<Worker> {
    if (this.#connection === undefined) throw new Error('the rig has not started');
    const stage = async (name: string) => {
      await this.stageFault?.(name);
      this.stages.push(`${number} ${name}`);
      return { seconds: 1 };
    };
    const behaviour = this.orders[number - 1]?.behaviour;
    return Worker.create({
      connection: this.#connection,
      taskQueue: buildTaskQueue(builderId),
      maxHeartbeatThrottleInterval: '500ms',
      activities: {
        checkout: async () => ({
          ...(await stage('checkout')),
          facts: { lockfile: true, scripts: ['test'] },
          committedAt: 1,
        }),
        runStage: async ({ stage: name, command }: { stage: string; command: string[] }) => {
          if (behaviour === 'dies' && name === 'unit-test') {
            die();
            // As a process that was killed: the stage never answers. It ends with the worker, so that the test can.
            await Context.current().cancelled;
          }
          return stage(`${name}: ${command.join(' ')}`);
        },
        buildImage: async (input: { stage: string; repository: string; dockerfile: string; version: string }) =>
          stage(`${input.stage} ${input.repository} ${input.dockerfile} ${input.version}`),
        pushImage: async (input: { stage: string; repository: string; tag: string }) => ({
          ...(await stage(`${input.stage} ${input.repository}:${input.tag.replace(/\d{8}T\d{6}Z/, 'TIME')}`)),
          image: { repository: input.repository, digest: `sha256:${input.stage}` },
        }),
      },
    });
  }
}

/** Where the builder of that number runs. */
function place(number: number) {
  return { agent: { id: `agent-${number}`, address: `ci-${number}` } };
}
