/** The activities of a builder: one a stage, so that each shows in the build's history with its time and its error. */

import { stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import type { ImageReference } from '../../domain/bundle.ts';
import { FailureType } from '../../domain/failures.ts';
import type { StageName } from '../../domain/pipelines/stage.ts';
import { beating } from '../beating.ts';
import { DockerClient, DockerSaid } from '../docker/client.ts';
import { RegistryClient } from '../registry/client.ts';
import type { BuilderSettings } from './builder-task.ts';
import { type Checkout, checkOut } from './checkout.ts';
import { buildFailed } from './failures.ts';
import { StageLog } from './stage-log.ts';
import { runStageCommand } from './stage-process.ts';

/** What every stage tells: how long it took, without the time it waited for the builder. */
export interface StageTime {
  readonly seconds: number;
}

export interface ImageInput {
  /** `image`, or for a test container `image-<suite>`. */
  readonly stage: string;
  readonly repository: string;
  readonly tag: string;
  /** Paths inside the repository of the service. */
  readonly dockerfile: string;
  readonly context: string;
  readonly commit: string;
  readonly version: string;
  /** As the checkout told it. */
  readonly committedAt: number;
  readonly timeoutSeconds: number;
}

export type BuilderActivities = ReturnType<typeof createBuilderActivities>;

/**
 * A builder makes one build. All stages share the checkout in its sandbox, so they must run one after the other
 * (the worker takes one at a time); each may be repeated. Logs are in `<sandbox>/logs/<stage>.log`. Failures:
 * `BuildFailed`, not retryable, with the end of the log; `SystemUnavailable` where a system it needs is at fault.
 */
export function createBuilderActivities(
  settings: Pick<BuilderSettings, 'repository' | 'registry' | 'docker' | 'sandbox'>,
) {
  const { sandbox } = settings;
  const checkout = join(sandbox, 'checkout');
  const docker = new DockerClient(settings.docker);
  const registry = new RegistryClient({ address: settings.registry });

  return {
    /** Puts the commit into the sandbox; what is there from an attempt before is thrown away. */
    checkout(input: { readonly commit: string; readonly timeoutSeconds: number }): Promise<Checkout & StageTime> {
      return timed(async (signal) => {
        const timeoutMs = input.timeoutSeconds * 1000;
        const gitDirectory = join(sandbox, 'repository.git');
        const { repository } = settings;
        return checkOut({ repository, commit: input.commit, directory: checkout, gitDirectory, timeoutMs, signal });
      });
    },

    /** Runs the command of a stage in the checkout. */
    runStage(input: {
      readonly stage: StageName;
      readonly command: readonly string[];
      readonly timeoutSeconds: number;
    }): Promise<StageTime> {
      return timed(async (signal) => {
        await runStageCommand({ ...input, cwd: checkout, sandbox, signal });
        return {};
      });
    },

    /** Makes an image of the checkout, under the name with which it will be pushed. */
    buildImage(input: ImageInput): Promise<StageTime> {
      const { stage, commit, version, repository, tag, context, committedAt } = input;
      return timed(async (signal) => {
        const path = await dockerfileInContext(checkout, input);
        await logged(stage, input.timeoutSeconds, signal, (limit, onLog) =>
          docker.buildImage({
            context: join(checkout, context),
            dockerfile: path,
            name: `${settings.registry}/${repository}:${tag}`,
            buildArgs: { SLIPWAY_REGISTRY: settings.registry },
            // Annotation keys of the OCI image specification.
            labels: { 'org.opencontainers.image.revision': commit, 'org.opencontainers.image.version': version },
            time: committedAt,
            signal: limit,
            onLog,
          }),
        );
        return {};
      });
    },

    /** Pushes an image and returns it by the digest that the registry gives for it. */
    pushImage(input: {
      readonly stage: string;
      readonly repository: string;
      readonly tag: string;
      readonly timeoutSeconds: number;
    }): Promise<{ readonly image: ImageReference } & StageTime> {
      const { stage, repository, tag, timeoutSeconds } = input;
      return timed(async (signal) => {
        await logged(stage, timeoutSeconds, signal, (limit, onLog) =>
          docker.pushImage({ repository: `${settings.registry}/${repository}`, tag, signal: limit, onLog }),
        );
        const stored = await registry.headManifest(repository, tag, { signal });
        if (stored === undefined) {
          throw ApplicationFailure.create({
            type: FailureType.NotVerified,
            message: `registry ${registry.address}: ${repository}:${tag} was pushed but is not there when read back`,
          });
        }
        return { image: { repository, digest: stored.digest } };
      });
    },
  };

  /** Runs work of the Docker engine within a time, its words in the log of the stage. */
  async function logged(
    stage: string,
    timeoutSeconds: number,
    signal: AbortSignal,
    work: (limit: AbortSignal, onLog: (text: string) => void) => Promise<void>,
  ): Promise<void> {
    const log = await StageLog.open(sandbox, stage);
    const deadline = AbortSignal.timeout(timeoutSeconds * 1000);
    try {
      await work(AbortSignal.any([signal, deadline]), (text) => log.write(text));
    } catch (error) {
      signal.throwIfAborted();
      if (deadline.aborted) throw buildFailed(stage, `did not end within ${timeoutSeconds} s`, log.tail());
      if (!(error instanceof DockerSaid)) throw error;
      log.write(`\n${error.message}\n`);
      if (!error.mayPass) throw buildFailed(stage, `failed: ${error.message}`, log.tail());
      throw ApplicationFailure.create({
        type: FailureType.SystemUnavailable,
        message: `build stage ${stage}: the Docker engine could not reach what it needs: ${error.message}`,
      });
    } finally {
      await log.close();
    }
  }
}

/** The Dockerfile as the engine wants it, relative to the context. */
async function dockerfileInContext(checkout: string, input: ImageInput): Promise<string> {
  const { stage, dockerfile, context } = input;
  const path = relative(join(checkout, context), join(checkout, dockerfile));
  if (path.startsWith('..'))
    throw buildFailed(stage, `failed: ${dockerfile} is outside of its build context ${context}`, '');
  const found = await stat(join(checkout, dockerfile)).catch(() => undefined);
  if (!found?.isFile()) throw buildFailed(stage, `failed: there is no ${dockerfile} in the repository`, '');
  return path;
}

async function timed<T extends object>(work: (signal: AbortSignal) => Promise<T>): Promise<T & StageTime> {
  const start = performance.now();
  const result = await beating(work);
  return { ...result, seconds: Math.round(performance.now() - start) / 1000 };
}
