import { describe, expect, it } from '@jest/globals';
import { pipelineStages } from './pipeline.ts';

const build = { pipeline: 'node', dockerfile: 'Dockerfile', context: '.', timeoutSeconds: 60 } as const;
const lines = (stages: ReturnType<typeof pipelineStages>) =>
  stages.map(({ stage, command }) => [stage, ...(command ?? [])].join(' '));

describe('pipelineStages', () => {
  it('builds a Node service without dependencies', () => {
    expect(lines(pipelineStages(build, { lockfile: false, scripts: [] }))).toEqual([
      'unit-test node --test',
      'image',
      'push',
    ]);
  });

  it('installs from the lockfile without install scripts, builds, and drops what only development needs', () => {
    expect(lines(pipelineStages(build, { lockfile: true, scripts: ['test', 'build', 'start'] }))).toEqual([
      'install npm ci --ignore-scripts',
      'unit-test npm test',
      'package npm run build',
      'prune npm prune --omit=dev --ignore-scripts',
      'image',
      'push',
    ]);
  });

  it('leaves everything to the Dockerfile in the docker pipeline', () => {
    const facts = { lockfile: true, scripts: ['test', 'build'] };
    expect(lines(pipelineStages({ ...build, pipeline: 'docker' }, facts))).toEqual(['image', 'push']);
  });

  it('gives no stage more than the whole build has', () => {
    for (const stage of pipelineStages(build, { lockfile: true, scripts: ['build'] }))
      expect(stage.timeoutSeconds).toBe(60);
  });
});
