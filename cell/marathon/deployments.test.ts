import { describe, expect, it } from '@jest/globals';
import { affectedApps, conflicts, planDeployment, restamp, revertedApps, stampApp } from './deployments.ts';
import { EMPTY_ROOT, emptyGroup, type Group, type Root, withApp } from './groups.ts';
import type { App } from './model.ts';
import { testApp, testConfig } from './test-apps.ts';

const T1 = '2026-01-01T00:00:00.000Z';
const T2 = '2026-01-02T00:00:00.000Z';

const rootOf = (version: string, ...apps: readonly App[]): Root => ({
  version,
  group: apps.reduce<Group>(withApp, emptyGroup('/')),
});

const stepsOf = (from: Root, to: Root) =>
  planDeployment({ id: 'd', from, to }).steps.map((step) => step.actions.map(({ action, app }) => `${action} ${app}`));

describe('stampApp', () => {
  const app = testApp('/a', { instances: 2 });

  it('stamps a new app with one time', () => {
    expect(stampApp(testConfig('/a'), undefined, T2)).toMatchObject({
      version: T2,
      lastScalingAt: T2,
      lastConfigChangeAt: T2,
    });
  });

  it('leaves an app alone that does not change', () => {
    expect(stampApp(testConfig('/a', { instances: 2 }), app, T2)).toBe(app);
  });

  it('keeps the stamp of the configuration when only the number of instances changes', () => {
    expect(stampApp(testConfig('/a', { instances: 3 }), app, T2)).toMatchObject({
      instances: 3,
      version: T2,
      lastScalingAt: T2,
      lastConfigChangeAt: T1,
    });
  });

  it.each([
    ['labels', { labels: { a: 'b' } }],
    ['env', { env: { A: '1' } }],
    ['upgradeStrategy', { upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 } }],
    ['killSelection', { killSelection: 'OLDEST_FIRST' }],
    ['instances and cmd', { instances: 5, cmd: 'sleep 2000' }],
  ] as const)('takes a change of %s for a new configuration', (_name, changes) => {
    const config = testConfig('/a', { instances: 2, ...changes });
    expect(stampApp(config, app, T2)).toMatchObject({ lastScalingAt: T2, lastConfigChangeAt: T2 });
  });
});

describe('planDeployment', () => {
  const app = testApp('/a', { instances: 2 });

  it('starts a new app, then scales it', () => {
    expect(stepsOf(EMPTY_ROOT, rootOf(T1, app))).toEqual([['StartApplication /a'], ['ScaleApplication /a']]);
  });

  it('scales when only the number changed, also to 0', () => {
    const scaled = stampApp(testConfig('/a', { instances: 0 }), app, T2);
    expect(stepsOf(rootOf(T1, app), rootOf(T2, scaled))).toEqual([['ScaleApplication /a']]);
  });

  it('restarts when the configuration changed, also with another number or from 0', () => {
    const changed = stampApp(testConfig('/a', { instances: 5, cmd: 'sleep 2000' }), app, T2);
    expect(stepsOf(rootOf(T1, app), rootOf(T2, changed))).toEqual([['RestartApplication /a']]);
    const asleep = testApp('/a', { instances: 0 });
    expect(stepsOf(rootOf(T1, asleep), rootOf(T2, changed))).toEqual([['RestartApplication /a']]);
  });

  it('scales an app that has no instances to restart', () => {
    const changed = stampApp(testConfig('/a', { instances: 0, cmd: 'sleep 2000' }), app, T2);
    expect(stepsOf(rootOf(T1, app), rootOf(T2, changed))).toEqual([['ScaleApplication /a']]);
  });

  it('restarts on demand, without any change', () => {
    const restarted = restamp(app, T2);
    expect(restarted).toMatchObject({ version: T2, lastScalingAt: T2, lastConfigChangeAt: app.lastConfigChangeAt });
    expect(stepsOf(rootOf(T1, app), rootOf(T2, restarted))).toEqual([['RestartApplication /a']]);
  });

  it('stops what disappeared', () => {
    expect(stepsOf(rootOf(T1, app), rootOf(T2))).toEqual([['StopApplication /a']]);
  });

  it('has no step when nothing changed', () => {
    expect(stepsOf(rootOf(T1, app), rootOf(T2, app))).toEqual([]);
  });

  it('stops first, starts all that is new, then goes level by level', () => {
    const web = testApp('/g/web', { dependencies: ['/g/db'] });
    const db = testApp('/g/db');
    const other = testApp('/g/other', { dependencies: ['/nowhere'] });
    const to = rootOf(T2, web, db, other, stampApp(testConfig('/a', { instances: 3 }), app, T2));
    expect(stepsOf(rootOf(T1, app, testApp('/old')), to)).toEqual([
      ['StopApplication /old'],
      ['StartApplication /g/db', 'StartApplication /g/other', 'StartApplication /g/web'],
      ['ScaleApplication /g/db', 'ScaleApplication /g/other', 'ScaleApplication /a'],
      ['ScaleApplication /g/web'],
    ]);
  });
});

describe('planDeployment of what has the version already', () => {
  const app = testApp('/a');

  it('restarts what says something else, as when one leader undoes twice', () => {
    const changed = { ...stampApp(testConfig('/a', { cmd: 'other' }), app, T2), version: app.version };
    const to = rootOf(T1, { ...changed, generation: app.generation });
    expect(stepsOf(rootOf(T2, app), to)).toEqual([['RestartApplication /a']]);
  });

  it('scales what has another count', () => {
    expect(stepsOf(rootOf(T2, app), rootOf(T1, { ...app, instances: 5 }))).toEqual([['ScaleApplication /a']]);
  });
});

describe('conflicts', () => {
  const plan = (...ids: readonly string[]) =>
    planDeployment({ id: ids.join(), from: EMPTY_ROOT, to: rootOf(T1, ...ids.map((id) => testApp(id))) });

  it('is about apps that both change', () => {
    expect(affectedApps(plan('/a', '/b'))).toEqual(['/a', '/b']);
    expect(conflicts(plan('/a', '/b'), plan('/b', '/c'))).toBe(true);
    expect(conflicts(plan('/a', '/b'), plan('/c'))).toBe(false);
    expect(conflicts(plan(), plan('/c'))).toBe(false);
  });
});

describe('revertedApps', () => {
  it('takes away what was added and brings back what was changed or removed', () => {
    const [kept, gone] = [testApp('/kept', { instances: 2 }), testApp('/gone')];
    const changed = stampApp(testConfig('/kept', { instances: 9 }), kept, T2);
    const added = testApp('/added');
    const to = rootOf(T2, changed, added);
    const plan = planDeployment({ id: 'd', from: rootOf(T1, kept, gone), to });
    expect(revertedApps(plan, to)).toEqual([
      { id: '/gone', config: expect.objectContaining({ id: '/gone' }), restarts: false },
      { id: '/added', config: undefined, restarts: false },
      { id: '/kept', config: expect.objectContaining({ instances: 2 }), restarts: false },
    ]);
  });

  it('restarts once more what was only restarted', () => {
    const app = testApp('/a');
    const to = rootOf(T2, restamp(app, T2));
    const plan = planDeployment({ id: 'd', from: rootOf(T1, app), to });
    expect(revertedApps(plan, to)).toMatchObject([{ id: '/a', restarts: true }]);
  });
});
