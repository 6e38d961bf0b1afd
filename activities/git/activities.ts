/** Activities on the repositories of services; they only read, so all may be repeated. */
import { createHash } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType, type InputError } from '../../domain/failures.ts';
import type { Manifest } from '../../domain/manifest.ts';
import { MOST_MANIFEST_BYTES, parseManifest } from '../../domain/schemas/manifest.ts';
import { largerThan } from '../../domain/schemas/yaml-document.ts';
import { beating } from '../beating.ts';
import { GitExit, gitFailure, runGit, withoutPassword } from './client.ts';
import { existingMirror, type MirrorOptions, updateMirror } from './mirror.ts';

export interface GitActivitiesOptions {
  readonly services: Readonly<Record<string, { readonly repository: string }>>;
  /** Directory for bare mirrors; made when missing. May be shared by several workers of one machine. */
  readonly cacheDir: string;
}

export interface Commit {
  /** 40 hex digits. */
  readonly commit: string;
  /** First line of its message. */
  readonly subject: string;
  readonly author: string;
}

/** Where the manifest is in every repository. */
const MANIFEST_PATH = 'slipway.yaml';

export type GitActivities = ReturnType<typeof createGitActivities>;

/**
 * Fail with `UnknownService`; with `SystemUnavailable`, retryable, when the repository can't be read. Failures beyond
 * these are named at each activity. All heartbeat every 2 s.
 */
export function createGitActivities(options: GitActivitiesOptions) {
  const mirrorOf = (service: string, signal: AbortSignal): MirrorOptions => {
    const repository = options.services[service]?.repository;
    if (repository !== undefined) return { repository, cacheDir: options.cacheDir, signal };
    throw ApplicationFailure.create({
      type: FailureType.UnknownService,
      nonRetryable: true,
      message: `no service "${service}" is configured; known: ${Object.keys(options.services).join(', ') || '(none)'}`,
    });
  };

  return {
    /**
     * The commit that a branch, tag or commit id means now. The repository is always asked, since a branch moves;
     * only a full commit id that is known already is not asked for. Fails with `UnknownCommit`.
     */
    resolveCommit(input: { readonly service: string; readonly ref: string }): Promise<Commit> {
      return beating(async (signal) => {
        const mirror = mirrorOf(input.service, signal);
        const known = isFullId(input.ref) ? await existingMirror(mirror) : undefined;
        const found = known === undefined ? undefined : await readCommit(known, mirror, input.ref);
        if (found !== undefined) return found;
        const commit = await readCommit(await updateMirror(mirror), mirror, input.ref);
        if (commit === undefined) throw unknownCommit(input.ref, mirror.repository);
        return commit;
      });
    },

    /**
     * The manifest of a commit (40 hex digits) and the SHA-256 of its text. Fails with `UnknownCommit`, and with
     * `ManifestInvalid` whose details are every error with its path.
     */
    readManifest(input: {
      readonly service: string;
      readonly commit: string;
    }): Promise<{ manifest: Manifest; digest: string }> {
      const { service, commit } = input;
      return beating(async (signal) => {
        const mirror = mirrorOf(service, signal);
        const file = await fileAt(mirror, commit, MANIFEST_PATH);
        if (file === undefined) {
          throw manifestInvalid(commit, [
            { path: '', message: `there is no ${MANIFEST_PATH} at the top of the repository` },
          ]);
        }
        if (file.bytes > MOST_MANIFEST_BYTES) {
          throw manifestInvalid(commit, [{ path: '', message: largerThan(MOST_MANIFEST_BYTES) }]);
        }
        const text = await file.read();
        const reading = parseManifest(text.toString('utf8'));
        if (!reading.ok) throw manifestInvalid(commit, reading.errors);
        if (reading.manifest.service !== service) {
          const message = `is "${reading.manifest.service}", but the repository is configured as the one of "${service}"`;
          throw manifestInvalid(commit, [{ path: 'service', message }]);
        }
        return { manifest: reading.manifest, digest: `sha256:${createHash('sha256').update(text).digest('hex')}` };
      });
    },
  };
}

/** A file as it is in a commit. */
interface CommittedFile {
  readonly bytes: number;
  read(): Promise<Buffer>;
}

/** Undefined when the commit has no file there. */
async function fileAt(mirror: MirrorOptions, commit: string, path: string): Promise<CommittedFile | undefined> {
  const { signal } = mirror;
  let directory = await existingMirror(mirror);
  if (directory === undefined || (await readCommit(directory, mirror, commit)) === undefined) {
    directory = await updateMirror(mirror);
    if ((await readCommit(directory, mirror, commit)) === undefined) throw unknownCommit(commit, mirror.repository);
  }
  const git = async (...args: readonly string[]): Promise<Buffer> => {
    try {
      return await runGit(args, { cwd: directory, signal });
    } catch (error) {
      throw error instanceof GitExit ? gitFailure(mirror.repository, `reading ${path}`, error) : error;
    }
  };
  const listed = await git('ls-tree', '-z', '--long', '--full-tree', commit, '--', path);
  // `100644 blob <id> <bytes>\t<path>`; a folder or a link of that name is no manifest.
  const [, id, bytes] = /^100(?:644|755) blob ([0-9a-f]+) +([0-9]+)\t/.exec(listed.toString('utf8')) ?? [];
  return id === undefined ? undefined : { bytes: Number(bytes), read: () => git('cat-file', 'blob', id) };
}

/** Undefined when the mirror has no such commit. */
async function readCommit(directory: string, mirror: MirrorOptions, ref: string): Promise<Commit | undefined> {
  // A ref that begins with a dash would be an option; git allows no such name.
  if (ref.startsWith('-') || ref === '') return undefined;
  try {
    const options = { cwd: directory, signal: mirror.signal };
    const revision = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`];
    const commit = (await runGit(revision, options)).toString('utf8').trim();
    const shown = await runGit(['show', '--no-patch', '--format=%an%x00%s', commit], options);
    const [author = '', subject = ''] = shown.toString('utf8').replace(/\n$/, '').split('\0');
    return { commit, subject, author };
  } catch (error) {
    // With --quiet, 1 is the answer "no such revision".
    if (error instanceof GitExit && error.exitCode === 1) return undefined;
    throw error instanceof GitExit ? gitFailure(mirror.repository, `reading ${ref}`, error) : error;
  }
}

function isFullId(ref: string): boolean {
  return /^[0-9a-f]{40}$/.test(ref);
}

function unknownCommit(ref: string, repository: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.UnknownCommit,
    nonRetryable: true,
    message: `"${ref}" names no branch, tag or commit of ${withoutPassword(repository)}`,
  });
}

function manifestInvalid(commit: string, errors: readonly InputError[]): ApplicationFailure {
  const list = errors.map(({ path, message }) => (path === '' ? message : `${path} ${message}`));
  return ApplicationFailure.create({
    type: FailureType.ManifestInvalid,
    nonRetryable: true,
    message: `${MANIFEST_PATH} of commit ${commit.slice(0, 12)}: ${list.join('; ')}`,
    details: [errors],
  });
}
