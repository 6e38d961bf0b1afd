import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { digestOf } from '../../domain/digest.ts';
import { parseManifest } from '../../domain/schemas/manifest.ts';
import type { World } from './world/world.ts';

/** What a run says of the processes that are no HTTP systems: the repository, the builder, the test containers. */
export interface Processes {
  /** Text of the manifest that a commit holds. */
  manifestOf(commit: string): string;
  /** Whether the service's own tests fail in the builder, and in the test containers. */
  readonly buildFails: boolean;
  readonly testsFail: boolean;
}

/** Git, the builder and the test containers at the activity border: they are processes, and not what is simulated. */
export function createStandIns(now: () => { readonly world: World; readonly processes: Processes }) {
  const timed = { seconds: 1 };
  return {
    async resolveCommit({ ref }: { readonly ref: string }) {
      return { commit: ref, subject: 'a change', author: 'ann' };
    },
    async readManifest({ commit }: { readonly commit: string }) {
      const text = now().processes.manifestOf(commit);
      const reading = parseManifest(text);
      if (reading.ok) return { manifest: reading.manifest, digest: digestOf(text) };
      throw ApplicationFailure.nonRetryable(JSON.stringify(reading.errors), 'ManifestInvalid', reading.errors);
    },
    async readBuilderStart() {
      return { startSeconds: 60 };
    },
    /** A builder lives until it is told to leave. */
    async runBuilder() {
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 20);
      try {
        await context.cancelled.catch(() => {});
      } finally {
        clearInterval(beat);
      }
      return { agent: { id: 'agent-9', address: '10.1.0.9:5051' }, state: 'TASK_FINISHED', message: 'it left' };
    },
    async checkout() {
      return { ...timed, facts: { lockfile: true, scripts: ['test'] }, committedAt: '2026-01-01T00:00:00.000Z' };
    },
    async runStage({ stage }: { readonly stage: string }) {
      if (now().processes.buildFails && stage === 'unit-test') {
        throw ApplicationFailure.nonRetryable('unit-test failed with code 1', 'BuildFailed', { stage, logTail: '' });
      }
      return timed;
    },
    async buildImage() {
      return timed;
    },
    async pushImage({ repository, tag }: { readonly repository: string; readonly tag: string }) {
      return { ...timed, image: { repository, digest: now().world.registry.push(repository, tag) } };
    },
    /** The server that skips time lists no workflows. */
    async listFreezeWatchers() {
      return [];
    },
    async runTest() {
      return { tests: 5, failures: now().processes.testsFail ? 1 : 0, skipped: 0, cases: [], logTail: '' };
    },
  };
}
