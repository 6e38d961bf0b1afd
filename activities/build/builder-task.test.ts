import { describe, expect, it } from '@jest/globals';
import { builderTask, readBuilderSettings } from './builder-task.ts';

const config = {
  temporal: { address: '127.0.0.1:7233', namespace: 'default' },
  registry: { address: '127.0.0.1:5000' },
  builder: {
    command: ['node', 'workers/builder.ts'],
    docker: '/run/docker.sock',
    cpus: 0.5,
    memoryMiB: 512,
    startSeconds: 90,
  },
  services: {
    sample: { repository: 'https://git.example/sample.git' },
    other: { repository: 'https://git.example/other.git' },
  },
};

describe('builderTask', () => {
  it('is a command, resources, and an environment that the builder reads back', () => {
    const task = builderTask(config, { builderId: 'sample-1', service: 'sample' });
    expect(task.command).toEqual(['node', 'workers/builder.ts']);
    expect(task.resources).toEqual({ cpus: 0.5, memoryMiB: 512 });
    expect(readBuilderSettings({ ...task.environment, MESOS_SANDBOX: '/sandbox' })).toEqual({
      builderId: 'sample-1',
      temporal: config.temporal,
      registry: '127.0.0.1:5000',
      docker: '/run/docker.sock',
      repository: 'https://git.example/sample.git',
      sandbox: '/sandbox',
      idleSeconds: 180,
    });
  });

  it('tells a builder of no service but its own', () => {
    const { environment } = builderTask(config, { builderId: 'sample-1', service: 'sample' });
    expect(JSON.stringify(environment)).not.toContain('other');
  });

  it('refuses a service that is not configured', () => {
    expect(() => builderTask(config, { builderId: 'x', service: 'nobody' })).toThrow('no service "nobody"');
  });

  it('names everything that a builder misses at once', () => {
    expect(() => readBuilderSettings({ SLIPWAY_BUILD_ID: 'a', SLIPWAY_BUILDER_IDLE_SECONDS: 'soon' })).toThrow(
      /SLIPWAY_REPOSITORY.*SLIPWAY_REGISTRY.*SLIPWAY_BUILDER_IDLE_SECONDS.*MESOS_SANDBOX/s,
    );
  });
});
