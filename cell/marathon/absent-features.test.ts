import { describe, expect, it } from '@jest/globals';
import { absentFeatures } from './absent-features.ts';
import type { Volume } from './model.ts';
import { testConfig } from './test-apps.ts';

const HOST: Volume = { containerPath: '/a', hostPath: '/b', mode: 'RO' };
const PERSISTENT: Volume = { containerPath: 'a', mode: 'RW', persistent: { size: 1 } };
const EXTERNAL: Volume = { containerPath: '/a', mode: 'RW', external: { name: 'a', provider: 'dvdi' } };
const persistent = {
  path: '/container/volumes(0)/persistent',
  error: expect.stringContaining('no persistent volumes'),
};
const external = { path: '/container/volumes(1)', error: expect.stringContaining('external_volumes is not enabled') };

describe('what the cell can not give an app', () => {
  it.each([
    ['no volumes', 1, [], []],
    ['a directory of the host', 1, [HOST], []],
    ['a persistent volume', 1, [PERSISTENT], [persistent]],
    ['a persistent volume, without instances', 0, [PERSISTENT], []],
    ['an external volume', 0, [HOST, EXTERNAL], [external]],
    ['both', 2, [PERSISTENT, EXTERNAL], [persistent, external]],
  ])('%s and %i instances', (_what, instances, volumes, problems) => {
    expect(absentFeatures(testConfig('/a', { instances, container: { type: 'MESOS', volumes } }))).toEqual(problems);
  });
});
