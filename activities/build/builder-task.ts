/** The two ends of one contract: how a builder is started as a Mesos task, and what it reads of that when it runs. */
import { z } from 'zod';

/** What of Slipway's configuration concerns builders; a part of `Configuration` as it is. */
export interface BuilderTaskConfig {
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly registry: { readonly address: string };
  readonly builder: {
    readonly command: readonly string[];
    readonly docker: string;
    readonly cpus: number;
    readonly memoryMiB: number;
    readonly startSeconds: number;
  };
  readonly services: Readonly<Record<string, { readonly repository: string }>>;
}

/** What an agent has to run, in the words of any scheduler. */
export interface BuilderTask {
  /** Program and arguments, no shell. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly resources: { readonly cpus: number; readonly memoryMiB: number };
}

export interface BuilderOrder {
  /** Names the builder and its task queue. */
  readonly builderId: string;
  readonly service: string;
}

/** What a builder knows when it starts. */
export interface BuilderSettings {
  readonly builderId: string;
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly registry: string;
  /** Path of the Docker engine's socket. */
  readonly docker: string;
  /** Where the service's code is. */
  readonly repository: string;
  /** Directory of the task; everything the builder writes is in it. */
  readonly sandbox: string;
  /** It leaves by itself after so long without work. */
  readonly idleSeconds: number;
}

/** The next stage is ordered at once, so a builder that waits longer has been forgotten. */
const IDLE_SECONDS = 120;

/** The task that runs a builder for one build of a service that is configured. */
export function builderTask(config: BuilderTaskConfig, order: BuilderOrder): BuilderTask {
  const repository = config.services[order.service]?.repository;
  if (repository === undefined) throw new Error(`no service "${order.service}" is configured`);
  return {
    command: config.builder.command,
    environment: {
      SLIPWAY_BUILD_ID: order.builderId,
      SLIPWAY_REPOSITORY: repository,
      SLIPWAY_REGISTRY: config.registry.address,
      SLIPWAY_DOCKER_SOCKET: config.builder.docker,
      // Until its first stage it waits as long as the workflow does.
      SLIPWAY_BUILDER_IDLE_SECONDS: String(Math.max(IDLE_SECONDS, 2 * config.builder.startSeconds)),
      TEMPORAL_ADDRESS: config.temporal.address,
      TEMPORAL_NAMESPACE: config.temporal.namespace,
    },
    resources: { cpus: config.builder.cpus, memoryMiB: config.builder.memoryMiB },
  };
}

const text = z.string().min(1);
const environmentSchema = z.object({
  SLIPWAY_BUILD_ID: text,
  SLIPWAY_REPOSITORY: text,
  SLIPWAY_REGISTRY: text,
  SLIPWAY_DOCKER_SOCKET: text,
  SLIPWAY_BUILDER_IDLE_SECONDS: z.coerce.number().positive(),
  TEMPORAL_ADDRESS: text,
  TEMPORAL_NAMESPACE: text,
  MESOS_SANDBOX: text,
});

/** Reads what `builderTask` wrote. Throws an error that names every variable that is missing or wrong. */
export function readBuilderSettings(env: NodeJS.ProcessEnv): BuilderSettings {
  const parsed = environmentSchema.safeParse(env);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(
      `a builder is started by Slipway as a Mesos task; its environment is not complete: ${wrong.join('; ')}`,
    );
  }
  return {
    builderId: parsed.data.SLIPWAY_BUILD_ID,
    temporal: { address: parsed.data.TEMPORAL_ADDRESS, namespace: parsed.data.TEMPORAL_NAMESPACE },
    registry: parsed.data.SLIPWAY_REGISTRY,
    docker: parsed.data.SLIPWAY_DOCKER_SOCKET,
    repository: parsed.data.SLIPWAY_REPOSITORY,
    sandbox: parsed.data.MESOS_SANDBOX,
    idleSeconds: parsed.data.SLIPWAY_BUILDER_IDLE_SECONDS,
  };
}
