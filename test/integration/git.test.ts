/** The git activities, and the checkout of builders, on real repositories. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { checkOut } from '../../activities/build/checkout.ts';
import { createGitActivities } from '../../activities/git/activities.ts';
import { sha256Digest } from '../../domain/digest.ts';
import { until } from '../../local/platform/until.ts';

jest.setTimeout(60_000);

const root = mkdtempSync(join(tmpdir(), 'slipway-git-'));
const work = join(root, 'work');
const bare = join(root, 'sample.git');
const MANIFEST = 'slipway: v1\nservice: sample\nversion: 1.0.0\nenvironments: { fat: {} }\n';
let sequence = 0;

const git = (...args: string[]) =>
  execFileSync('git', ['-C', work, '-c', 'user.name=Ann', '-c', 'user.email=ann@example.invalid', ...args], {
    encoding: 'utf8',
    env: { ...process.env, GIT_COMMITTER_DATE: `2026-01-01T00:00:0${sequence % 10}Z`, GIT_CONFIG_GLOBAL: '/dev/null' },
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

/** Commits these files, pushes to a branch, and answers with the commit. */
function push(files: Readonly<Record<string, string>>, message: string, branch = 'main'): string {
  sequence += 1;
  for (const [path, content] of Object.entries(files)) writeFileSync(join(work, path), content);
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', message);
  git('push', '--quiet', '--force', bare, `HEAD:${branch}`);
  return git('rev-parse', 'HEAD');
}

const run = <T>(activity: () => Promise<T>): Promise<T> =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity);
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => ({ type: 'none', message: '', details: undefined as unknown, nonRetryable: false }),
    (error: { type: string; message: string; details?: unknown; nonRetryable: boolean }) => error,
  );

const cacheDir = join(root, 'mirrors');
const activities = createGitActivities({
  services: { sample: { repository: `file://${bare}` }, gone: { repository: `file://user:secret@${root}/gone.git` } },
  cacheDir,
});
const resolve = (ref: string, service = 'sample') => run(() => activities.resolveCommit({ service, ref }));
const read = (commit: string) => run(() => activities.readManifest({ service: 'sample', commit }));

beforeAll(() => {
  mkdirSync(work);
  execFileSync('git', ['init', '--quiet', '--bare', bare]);
  git('init', '--quiet');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('resolveCommit', () => {
  it('follows a branch as it moves, and knows tags and commits', async () => {
    const first = push({ 'slipway.yaml': MANIFEST }, 'Begin\n\nWith a body.');
    expect(await resolve('main')).toEqual({ commit: first, subject: 'Begin', author: 'Ann' });
    const second = push({ 'README.md': 'hello' }, 'Say "hello"');
    git('tag', '--annotate', '--message', 'one', 'v1');
    git('push', '--quiet', bare, 'v1');
    expect(await resolve('main')).toEqual({ commit: second, subject: 'Say "hello"', author: 'Ann' });
    for (const ref of ['v1', second, second.slice(0, 10), 'refs/heads/main']) {
      expect((await resolve(ref)).commit).toBe(second);
    }
  });

  it('forgets a branch that was forced elsewhere or deleted', async () => {
    push({}, 'a', 'topic');
    await resolve('topic');
    git('checkout', '--quiet', '--detach', 'HEAD~1');
    const forced = push({}, 'b', 'topic');
    expect((await resolve('topic')).commit).toBe(forced);
    git('push', '--quiet', bare, ':topic');
    expect((await failureOf(resolve('topic'))).type).toBe('UnknownCommit');
  });

  it('leaves nothing locked behind when it is cancelled in the midst of a fetch', async () => {
    push({ 'slipway.yaml': MANIFEST }, 'before');
    await resolve('main');
    const [mirror = ''] = readdirSync(cacheDir);
    // Git runs it with every lock taken, before it changes a branch.
    const hook = join(cacheDir, mirror, 'hooks', 'reference-transaction');
    const held = join(root, 'held');
    mkdirSync(dirname(hook), { recursive: true });
    const program = `exec >${held}.new 2>&1; echo $$; mv ${held}.new ${held}; exec sleep 600`;
    writeFileSync(hook, `#!/bin/sh\nif [ "$1" = prepared ]; then ${program}; fi\n`, { mode: 0o755 });
    const moved = push({}, 'moved');
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const ended = failureOf(environment.run(() => activities.resolveCommit({ service: 'sample', ref: 'main' })));
    const holder = await until('the fetch to hold its locks', () => readFileSync(held, 'utf8'), { withinMs: 30_000 });
    environment.cancel();
    await ended;
    process.kill(Number(holder));
    rmSync(hook);
    expect((await resolve('main')).commit).toBe(moved);
  });

  it.each(['nobody', '', '--all', 'f'.repeat(40), 'HEAD:slipway.yaml'])(
    'does not take %j for a commit',
    async (ref) => {
      const failure = await failureOf(resolve(ref));
      expect([failure.type, failure.nonRetryable]).toEqual(['UnknownCommit', true]);
    },
  );

  it('says which services there are, and keeps passwords to itself', async () => {
    expect(await failureOf(resolve('main', 'other'))).toMatchObject({
      type: 'UnknownService',
      message: expect.stringContaining('sample'),
    });
    const failure = await failureOf(resolve('main', 'gone'));
    expect([failure.type, failure.nonRetryable]).toEqual(['SystemUnavailable', false]);
    expect(failure.message).not.toContain('secret');
  });

  it('makes one mirror when asked many times at once', async () => {
    const fresh = createGitActivities({ services: { sample: { repository: bare } }, cacheDir: join(root, 'fresh') });
    const asked = Array.from({ length: 8 }, () => run(() => fresh.resolveCommit({ service: 'sample', ref: 'main' })));
    expect(new Set((await Promise.all(asked)).map(({ commit }) => commit)).size).toBe(1);
    expect(readdirSync(join(root, 'fresh'))).toHaveLength(1);
  });

  it('answers for a commit it knows while the repository is away', async () => {
    const { commit } = await resolve('main');
    renameSync(bare, `${bare}.away`);
    try {
      expect((await resolve(commit)).commit).toBe(commit);
      expect((await read(commit)).manifest.service).toBe('sample');
      expect((await failureOf(resolve('main'))).type).toBe('SystemUnavailable');
    } finally {
      renameSync(`${bare}.away`, bare);
    }
  });
});

describe('readManifest', () => {
  it('reads the manifest of that very commit', async () => {
    const old = push({ 'slipway.yaml': MANIFEST }, 'old');
    const text = MANIFEST.replace('1.0.0', '2.0.0');
    const young = push({ 'slipway.yaml': text }, 'young');
    expect((await read(old)).manifest.version).toBe('1.0.0');
    expect(await read(young)).toMatchObject({ manifest: { version: '2.0.0' }, digest: sha256Digest(text) });
  });

  it('tells every error with its path', async () => {
    const commit = push({ 'slipway.yaml': 'slipway: v1\nservice: sample\nversion: one\nenvironments: {}\n' }, 'bad');
    const failure = await failureOf(read(commit));
    expect([failure.type, failure.nonRetryable]).toEqual(['ManifestInvalid', true]);
    expect(failure.details).toEqual([
      expect.arrayContaining([
        { path: 'version', message: expect.any(String) },
        { path: 'environments', message: expect.any(String) },
      ]),
    ]);
  });

  it('refuses one of more than 256 KB, however long it is', async () => {
    const long = (bytes: number) => `${MANIFEST}# ${'x'.repeat(bytes - MANIFEST.length - 2)}`;
    const [most, more, farMore] = [256 * 1024, 256 * 1024 + 1, 9 * 1024 * 1024].map((bytes) =>
      push({ 'slipway.yaml': long(bytes) }, `${bytes} bytes`),
    );
    expect((await read(most ?? '')).manifest.service).toBe('sample');
    for (const commit of [more, farMore]) {
      const failure = await failureOf(read(commit ?? ''));
      expect([failure.type, failure.nonRetryable]).toEqual(['ManifestInvalid', true]);
      expect(failure.details).toEqual([[{ path: '', message: 'is larger than 256 KB' }]]);
    }
  });

  it('does not take the manifest of another service, nor none', async () => {
    const other = push({ 'slipway.yaml': MANIFEST.replace('sample', 'other') }, 'other');
    expect((await failureOf(read(other))).details).toEqual([
      [{ path: 'service', message: expect.stringContaining('other') }],
    ]);
    rmSync(join(work, 'slipway.yaml'));
    const none = push({}, 'none');
    expect((await failureOf(read(none))).details).toEqual([
      [{ path: '', message: expect.stringContaining('slipway.yaml') }],
    ]);
    expect((await failureOf(read('0'.repeat(40)))).type).toBe('UnknownCommit');
  });
});

describe('checkOut', () => {
  const checkout = (commit: string, directory: string) =>
    checkOut({
      repository: bare,
      commit,
      directory,
      gitDirectory: `${directory}.git`,
      timeoutMs: 60_000,
      signal: new AbortController().signal,
    });

  it('has the files of the commit and nothing of git, and tells what decides the stages', async () => {
    const scripts = JSON.stringify({ scripts: { test: 'node --test' } });
    const commit = push(
      { 'slipway.yaml': MANIFEST, 'package.json': scripts, 'package-lock.json': '{}' },
      'with a lock',
    );
    const time = Number(git('show', '--no-patch', '--format=%ct'));
    push({ 'later.txt': '' }, 'later');
    const directory = join(root, 'checkout');
    mkdirSync(directory);
    writeFileSync(join(directory, 'left-over'), '');
    expect(await checkout(commit, directory)).toEqual({
      facts: { lockfile: true, scripts: ['test'] },
      committedAt: time,
    });
    expect(readFileSync(join(directory, 'slipway.yaml'), 'utf8')).toBe(MANIFEST);
    expect(readdirSync(directory).filter((name) => ['.git', 'later.txt', 'left-over'].includes(name))).toEqual([]);
  });

  it('fails with what may pass when the repository is away, and with BuildFailed when package.json is wrong', async () => {
    const commit = push({ 'package.json': '{' }, 'broken');
    const directory = join(root, 'broken');
    expect((await failureOf(checkout(commit, directory))).type).toBe('BuildFailed');
    expect((await failureOf(checkout('0'.repeat(40), directory))).type).toBe('SystemUnavailable');
    expect(existsSync(directory)).toBe(true);
  });
});
