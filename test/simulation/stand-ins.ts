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
  readonly buildFails: Failing;
  readonly testsFail: Failing;
}

/** How often something fails. */
export type Failing = 'never' | 'once' | 'always';

/** Git, the builder and the test containers at the activity border: they are processes, and not what is simulated. */
export function createStandIns(now: () => { readonly world: World; readonly processes: Processes }) {
  const timed = { seconds: 1 };
  /** What was built, by its tag: that has the time in it, which is never the same. */
  const built = new Map<string, string>();
  const failed = new WeakMap<Processes, Set<string>>();
  const fails = (what: 'buildFails' | 'testsFail'): boolean => {
    const { processes } = now();
    const before = failed.get(processes) ?? new Set();
    failed.set(processes, before);
    const again = before.has(what);
    before.add(what);
    return processes[what] === 'always' || (processes[what] === 'once' && !again);
  };
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
      if (stage === 'unit-test' && fails('buildFails')) {
        throw ApplicationFailure.nonRetryable('unit-test failed with code 1', 'BuildFailed', { stage, logTail: '' });
      }
      return timed;
    },
    async buildImage({ tag, version }: { readonly tag: string; readonly version: string }) {
      built.set(tag, version);
      return timed;
    },
    async pushImage({ repository, tag }: { readonly repository: string; readonly tag: string }) {
      return { ...timed, image: { repository, digest: now().world.registry.push(repository, `${built.get(tag)}`) } };
    },
    /** The server that skips time lists no workflows. */
    async listFreezeWatchers() {
      return [];
    },
    async runTest() {
      return { tests: 5, failures: fails('testsFail') ? 1 : 0, skipped: 0, cases: [], logTail: '' };
    },
  };
}
