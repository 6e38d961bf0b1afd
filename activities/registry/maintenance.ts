/** Activities of the machine on which a registry runs: its garbage collection, and the mode it needs for that. */
import { lstat, opendir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../domain/failures.ts';
import { beating } from '../beating.ts';
import { isSystemError } from '../system-error.ts';
import type { RegistryCredentials } from './authorization.ts';
import { RegistryClient, sha256 } from './client.ts';
import { runMaintenanceCommand } from './maintenance-command.ts';

export interface MaintenanceOptions {
  /** Program and arguments of each command. */
  readonly commands: {
    readonly readOnly: readonly string[];
    readonly collect: readonly string[];
    readonly readWrite: readonly string[];
  };
  /** `host:port` of each replica; each is asked whether a command took effect. */
  readonly replicas: readonly string[];
  readonly insecure?: boolean | undefined;
  readonly credentials?: RegistryCredentials | undefined;
  /** Directory of the registry's storage on this machine, if it has one. */
  readonly storage?: string | undefined;
  /** Longest time for a change of mode, and for the replicas to show it. Default 120 000. */
  readonly modeTimeoutMs?: number | undefined;
}

/** Repository on which the mode is tried; nothing is ever stored in it. */
const PROBE_REPOSITORY = 'slipway/probe';
const POLL_MS = 200;

export type MaintenanceActivities = ReturnType<typeof createMaintenanceActivities>;

/** All idempotent: a mode is set absolutely and read back, a collection may be run any number of times. */
export function createMaintenanceActivities(options: MaintenanceOptions) {
  const modeTimeoutMs = options.modeTimeoutMs ?? 120_000;
  const lockFile = join(tmpdir(), `slipway-registry-${sha256(Buffer.from(options.replicas.join())).slice(7, 19)}.lock`);
  const replicas = options.replicas.map(
    (address) => new RegistryClient({ address, insecure: options.insecure, credentials: options.credentials }),
  );

  /** Resolves when every replica answers, and takes pushes or refuses them as wanted. */
  async function shown(takesPushes: boolean, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + modeTimeoutMs;
    for (const replica of replicas) {
      for (let last = 'no answer'; ; ) {
        try {
          const takes = await replica.takesPushes(PROBE_REPOSITORY, { signal });
          if (takes === takesPushes) break;
          last = takes ? 'it still takes pushes' : 'it still refuses pushes';
        } catch (error) {
          signal.throwIfAborted();
          // It restarts: no answer for a while is what a change of mode looks like.
          last = error instanceof Error ? error.message : String(error);
        }
        if (performance.now() > deadline) {
          throw ApplicationFailure.create({
            type: FailureType.NotVerified,
            message: `registry ${replica.address} is not ${takesPushes ? 'read-write' : 'read-only'} ${modeTimeoutMs} ms after its command ended: ${last}`,
          });
        }
        await delay(POLL_MS, undefined, { signal });
      }
    }
  }

  async function allTakePushes(signal: AbortSignal): Promise<boolean> {
    const answers = await Promise.all(replicas.map((replica) => replica.takesPushes(PROBE_REPOSITORY, { signal })));
    return answers.every(Boolean);
  }

  return {
    /** Returns when every replica refuses pushes. */
    async makeRegistryReadOnly(): Promise<void> {
      await beating(async (signal) => {
        const purpose = 'make the registry read-only';
        await runMaintenanceCommand(options.commands.readOnly, { purpose, timeoutMs: modeTimeoutMs, lockFile, signal });
        await shown(false, signal);
      });
    },

    /**
     * Returns when every replica takes pushes. Whatever its command does is a failure that may pass, so that it can be
     * tried without end.
     *
     * @param input.onlyIfNeeded leaves a registry alone that takes pushes already: the command may restart it. After
     * a change of mode that may have been left halfway, the command runs in any case
     */
    async makeRegistryReadWrite(input: { readonly onlyIfNeeded: boolean }): Promise<void> {
      await beating(async (signal) => {
        if (input.onlyIfNeeded && (await allTakePushes(signal))) return;
        const purpose = 'make the registry read-write';
        await runMaintenanceCommand(options.commands.readWrite, {
          purpose,
          timeoutMs: modeTimeoutMs,
          lockFile,
          signal,
        });
        await shown(true, signal);
      });
    },

    /** Runs the registry's own collection; refused with `SystemRefused` while any replica takes pushes. */
    async collectRegistryGarbage(input: { readonly timeoutSeconds: number }): Promise<void> {
      await beating(async (signal) => {
        for (const replica of replicas) {
          if (!(await replica.takesPushes(PROBE_REPOSITORY, { signal }))) continue;
          throw ApplicationFailure.create({
            type: FailureType.SystemRefused,
            nonRetryable: true,
            message: `registry ${replica.address} takes pushes; a collection now would lose layers of images that are being pushed`,
          });
        }
        const timeoutMs = input.timeoutSeconds * 1000;
        const purpose = 'collect the garbage of the registry';
        await runMaintenanceCommand(options.commands.collect, { purpose, timeoutMs, lockFile, signal });
      });
    },

    /** Bytes of the files in the registry's storage; undefined where its storage is no directory of this machine. */
    async measureRegistryStorage(): Promise<{ readonly bytes?: number }> {
      const { storage } = options;
      if (storage === undefined) return {};
      return { bytes: await beating((signal) => directoryBytes(storage, signal)) };
    },
  };
}

/** Size of all files below a directory; what disappears meanwhile counts as gone. */
async function directoryBytes(directory: string, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  try {
    for await (const entry of await opendir(directory)) {
      signal.throwIfAborted();
      const path = join(directory, entry.name);
      if (entry.isDirectory()) bytes += await directoryBytes(path, signal);
      else if (entry.isFile()) bytes += await fileBytes(path);
    }
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
  return bytes;
}

async function fileBytes(path: string): Promise<number> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 0;
    throw error;
  }
}
