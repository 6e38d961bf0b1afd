import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Offer, TaskState } from '../../activities/mesos/types.ts';
import { Journal } from '../journal.ts';
import { backoffKey } from './backoff.ts';
import { EventBus } from './events.ts';
import { emptyGroup, withApp } from './groups.ts';
import { HealthTracker } from './health-tracker.ts';
import { Instances } from './instances.ts';
import { PROFILES, type ProfileName } from './profile.ts';
import { ScheduledInstances } from './scheduled.ts';
import { State } from './state.ts';
import { testApp } from './test-apps.ts';

const offer: Offer = {
  id: { value: 'O1' },
  framework_id: { value: 'F' },
  agent_id: { value: 'S0' },
  hostname: 'h1',
  resources: [],
  attributes: [],
};

describe('Instances', () => {
  const app = testApp('/a', { backoffSeconds: 2, backoffFactor: 2 });
  let directory: string;
  let journal: Journal;
  let bus: EventBus;
  let state: State;
  let instances: Instances;
  let killed: string[];
  let gone: string[];
  let inactive: string[];
  let again: string[];
  let scheduled: ScheduledInstances;
  let now: number;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'instances-'));
    journal = new Journal(join(directory, 'state.journal'));
    state = new State(journal);
    state.setRoot({ version: app.version, group: withApp(emptyGroup('/'), app) }, [app]);
    now = Date.parse('2026-01-01T00:01:00.000Z');
    const nowMs = () => now;
    bus = new EventBus(nowMs);
    [killed, gone, inactive, again] = [[], [], [], []];
    scheduled = new ScheduledInstances(state, bus);
    instances = instancesOf('1.7');
  });

  const instancesOf = (profile: ProfileName) =>
    new Instances({
      state,
      bus,
      health: new HealthTracker(bus, () => now),
      profile: PROFILES[profile],
      scheduled,
      nowMs: () => now,
      secondMs: 1000,
      killTask: ({ taskId }) => killed.push(taskId),
      gone: ({ taskId }) => gone.push(taskId),
      again: ({ taskId }) => again.push(taskId),
      inactive: ({ taskId }) => inactive.push(taskId),
      changed: () => undefined,
    });

  afterEach(() => {
    bus.close();
    journal.close();
    rmSync(directory, { recursive: true });
  });

  function launched(...states: readonly TaskState[]): string {
    const { taskId } = instances.launch(app, offer, [31000]);
    for (const one of states) instances.takeStatus({ task_id: { value: taskId }, state: one });
    return taskId;
  }

  const delay = () => state.backoffs.get(backoffKey(app));

  it.each<[TaskState, boolean]>([
    ['TASK_FAILED', true],
    ['TASK_FINISHED', true],
    ['TASK_ERROR', true],
    ['TASK_DROPPED', true],
    ['TASK_GONE', true],
    ['TASK_KILLED', false],
    ['TASK_UNKNOWN', false],
    ['TASK_UNREACHABLE', false],
  ])('delays the next start after %s: %s', (end, delays) => {
    launched('TASK_RUNNING', end);
    expect(delay() !== undefined).toBe(delays);
  });

  it('lets a delay count from each step of a start, and grow from each failure', () => {
    launched('TASK_RUNNING', 'TASK_FAILED');
    expect(delay()).toEqual({ delayMs: 2000, referenceMs: now });
    now += 2000;
    launched();
    expect(delay()).toEqual({ delayMs: 2000, referenceMs: now });
    now += 100;
    launched('TASK_STARTING');
    now += 100;
    launched('TASK_STARTING', 'TASK_RUNNING');
    expect(delay()).toEqual({ delayMs: 2000, referenceMs: now });
    launched('TASK_FAILED');
    expect(delay()).toEqual({ delayMs: 4000, referenceMs: now });
  });

  it('asks Mesos to end a task, and waits for its end', () => {
    const taskId = launched('TASK_RUNNING');
    instances.kill([...state.instances.values()]);
    expect([killed, gone]).toEqual([[taskId], []]);
    instances.takeStatus({ task_id: { value: taskId }, state: 'TASK_KILLED' });
    expect(gone).toEqual([taskId]);
  });

  it('gives up a lost task that is to end, and ends it when it comes back', () => {
    const taskId = launched('TASK_RUNNING', 'TASK_UNREACHABLE');
    instances.kill([...state.instances.values()]);
    expect([killed, gone]).toEqual([[], [taskId]]);
    expect(state.instances.size).toBe(0);
    instances.takeStatus({ task_id: { value: taskId }, state: 'TASK_RUNNING' });
    expect(killed).toEqual([taskId]);
  });

  it('has a lost task replaced after as long as its app says, and gives it up later', () => {
    const unreachableStrategy = { inactiveAfterSeconds: 5, expungeAfterSeconds: 300 };
    const patient = { ...app, version: '2026-01-01T00:00:30.000Z', unreachableStrategy };
    state.setRoot({ version: patient.version, group: withApp(emptyGroup('/'), patient) }, [patient]);
    const taskId = launched('TASK_RUNNING', 'TASK_UNREACHABLE');
    now += 4_999;
    instances.giveUpLost();
    expect([inactive, gone]).toEqual([[], []]);
    now += 1;
    instances.giveUpLost();
    instances.giveUpLost();
    expect([inactive, gone]).toEqual([[taskId], []]);
    now += 295_000;
    instances.giveUpLost();
    expect(gone).toEqual([taskId]);
  });

  it('has a lost task replaced at once where its app does not wait', () => {
    const taskId = launched('TASK_RUNNING', 'TASK_UNREACHABLE');
    expect(inactive).toEqual([taskId]);
  });

  describe('that outlive their tasks', () => {
    let told: [eventType: string, condition: unknown][];

    beforeEach(() => {
      told = [];
      jest.spyOn(bus, 'publish').mockImplementation((eventType, fields) => {
        if (eventType !== 'status_update_event') told.push([eventType, fields['condition']]);
      });
      instances = instancesOf('1.11');
      scheduled.fit({ appId: app.id, generation: app.generation }, 1);
    });

    it('go on with another task after a failure; the former one is no unknown instance', () => {
      const taskId = launched('TASK_RUNNING', 'TASK_FAILED');
      expect([again, gone]).toEqual([[taskId], []]);
      told = [];
      instances.takeStatus({ task_id: { value: taskId }, state: 'TASK_FAILED' });
      expect(told).toEqual([]);
      const next = launched('TASK_RUNNING');
      expect(next).toBe(taskId.replace(/1$/, '2'));
      told = [];
      instances.takeStatus({ task_id: { value: taskId }, state: 'TASK_FAILED' });
      expect(told).toEqual([]);
    });

    it('end for good, and are told of once more, when a newer version of the app takes over', () => {
      const taskId = launched('TASK_RUNNING');
      const newer = { ...app, generation: `${app.generation} newer`, version: '2026-01-01T00:00:30.000Z' };
      state.setRoot({ version: newer.version, group: withApp(emptyGroup('/'), newer) }, [newer]);
      told = [];
      instances.takeStatus({ task_id: { value: taskId }, state: 'TASK_FAILED' });
      expect(told).toEqual([
        ['instance_changed_event', 'Failed'],
        ['instance_changed_event', 'Failed'],
      ]);
      expect([again, gone]).toEqual([[], [taskId]]);
      told = [];
      instances.takeStatus({ task_id: { value: taskId }, state: 'TASK_FAILED' });
      expect(told).toEqual([['unknown_instance_terminated_event', 'Failed']]);
    });

    it('are told of once when they end as they were to', () => {
      const taskId = launched('TASK_RUNNING');
      instances.kill([...state.instances.values()]);
      told = [];
      instances.takeStatus({ task_id: { value: taskId }, state: 'TASK_KILLED' });
      expect(told).toEqual([['instance_changed_event', 'Killed']]);
    });
  });
});
