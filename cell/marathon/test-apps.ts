import { completeApp } from './app.ts';
import type { App, AppConfig, Instance } from './model.ts';
import { PROFILES } from './profile.ts';

/** Apps and instances for tests, complete but for what a test says of them. */

export function testConfig(id: string, changes: Partial<AppConfig> = {}): AppConfig {
  return { ...completeApp(id, { cmd: 'sleep 1000', cpus: 0.1, mem: 16 }, PROFILES['1.7']), ...changes };
}

export function testApp(id: string, changes: Partial<App> = {}): App {
  const version = '2026-01-01T00:00:00.000Z';
  return {
    ...testConfig(id),
    version,
    lastScalingAt: version,
    lastConfigChangeAt: version,
    generation: version,
    ...changes,
  };
}

export function testInstance(changes: Partial<Instance> = {}): Instance {
  return {
    id: 'a.marathon-1',
    taskId: 'a.1',
    appId: '/a',
    version: '2026-01-01T00:00:00.000Z',
    generation: '2026-01-01T00:00:00.000Z',
    condition: 'Running',
    state: 'TASK_RUNNING',
    goal: 'Running',
    agentId: 'S0',
    host: 'h1',
    ports: [31000],
    ipAddresses: [],
    attributes: { hostname: 'h1' },
    stagedAt: '2026-01-01T00:00:01.000Z',
    startedAt: '2026-01-01T00:00:02.000Z',
    ...changes,
  };
}
