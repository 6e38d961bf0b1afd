import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { workflowBuildId } from './worker-version.ts';

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

/** The build id of a folder with these files. */
function buildIdOf(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'slipway-version-'));
  roots.push(root);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return workflowBuildId(root);
}

const CODE = { 'workflows/release.ts': 'a', 'domain/judge/judge.ts': 'b' };

describe('workflowBuildId', () => {
  it('is the same for the same workflow code in another place', () => {
    expect(buildIdOf(CODE)).toMatch(/^[0-9a-f]{16}$/);
    expect(buildIdOf(CODE)).toBe(buildIdOf(CODE));
  });

  it.each([
    ['a workflow', { ...CODE, 'workflows/release.ts': 'c' }],
    ['a decision', { ...CODE, 'domain/judge/judge.ts': 'c' }],
    ['a new file', { ...CODE, 'workflows/lane.ts': '' }],
  ])('is another one when %s changes', (_, files) => {
    expect(buildIdOf(files)).not.toBe(buildIdOf(CODE));
  });

  it.each([
    ['a test', { ...CODE, 'workflows/release.test.ts': 'c' }],
    ['an activity', { ...CODE, 'activities/git/client.ts': 'c' }],
  ])('is the same when %s changes', (_, files) => {
    expect(buildIdOf(files)).toBe(buildIdOf(CODE));
  });
});
