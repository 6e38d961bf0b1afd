import { describe, expect, it } from '@jest/globals';
import { SAMPLE } from '../services.ts';
import type { Stage } from '../stage.ts';

/** Commits that can not be released, and what their authors are told. */
export function badCommits(stage: () => Stage): void {
  describe('a commit that can not be released', () => {
    const release = (commit: string) => stage().slipway.run(['release', SAMPLE, '--ref', commit, '--watch']);

    it('ends with every error of its manifest, each with its path', async () => {
      const { commits, slipway } = stage();
      const errors = [
        '    version: must be a version such as 1.4.0',
        '    run.memory: write memory with its unit',
        '    release.canary[1].weight: must be above 0% and below 100%',
      ];
      const { code, stdout } = await release(commits.sample.misdescribed);
      expect([code, stdout]).toEqual([5, expect.stringContaining('ManifestInvalid')]);
      for (const error of errors) expect(stdout).toContain(`\n${error}`);
      const planned = await slipway.run(['plan', SAMPLE, '--ref', commits.sample.misdescribed]);
      expect(planned.code).toBe(2);
      for (const error of errors) expect(planned.stderr).toContain(`\n${error.slice(2)}`);
    });

    it('ends with the log of the stage in which its build failed, and nothing runs', async () => {
      const { commits, world } = stage();
      const { code, stdout } = await release(commits.sample.unbuildable);
      expect([code, stdout]).toEqual([5, expect.stringContaining('sample 4.0.0 · failed')]);
      expect(stdout).toContain('BuildFailed in build: build stage unit-test ended with exit code 1\n    $ npm test\n');
      expect(stdout).toMatch(/\n {4}✖ every good has a price/);
      expect(await world(SAMPLE)).toEqual(expect.objectContaining({ apps: {}, weights: {}, keys: {} }));
    });
  });
}
