import { describe, expect, it } from '@jest/globals';
import { nearestName } from './nearest-name.ts';

describe('nearestName', () => {
  it.each([
    ['pipelin', ['pipeline', 'timeout'], 'pipeline'],
    ['tiemout', ['pipeline', 'timeout'], 'timeout'],
    ['fta', ['fat', 'uat'], 'fat'],
    ['Bake', ['bake', 'batches'], 'bake'],
    ['release', ['releases'], 'releases'],
    ['enviroment', ['environments'], 'environments'],
    ['xxbuild', ['build'], 'build'],
    ['metrcis', ['approvals', 'metrics'], 'metrics'],
  ])('takes %s for one of %j', (written, known, meant) => {
    expect(nearestName(written, known)).toBe(meant);
  });

  it.each([
    ['x', ['fat', 'uat']],
    ['environments-of-ann', ['environments-of-everybody']],
    ['abcdefgh', ['cdefghab', 'hgfedcba', 'abxxefyy']],
    ['prod', ['fat', 'uat']],
    ['ab', ['cd']],
    ['anything', []],
  ])('has no guess for %s among %j', (written, known) => {
    expect(nearestName(written, known)).toBeUndefined();
  });
});
