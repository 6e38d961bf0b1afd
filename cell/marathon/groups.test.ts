import { describe, expect, it } from '@jest/globals';
import { addedGroups, emptyGroup, type Group, withApp, withoutApp, withoutEmptyGroups } from './groups.ts';
import { testApp } from './test-apps.ts';

const treeOf = (...ids: readonly string[]): Group =>
  ids.map((id) => testApp(id)).reduce<Group>(withApp, emptyGroup('/'));

describe('groups that a change had added', () => {
  const before = treeOf('/a/web');

  it('are named from the inside', () => {
    const after = withApp(before, testApp('/a/b/c/db'));
    expect(addedGroups(before, after)).toEqual(['/a/b/c', '/a/b']);
    expect(addedGroups(before, withApp(before, testApp('/a/other')))).toEqual([]);
  });

  it('are taken back when they were made for an app alone', () => {
    const after = withApp(before, testApp('/a/b/c/db'));
    expect(withoutEmptyGroups(withoutApp(after, '/a/b/c/db'), ['/a/b/c', '/a/b'])).toEqual(before);
  });

  it('are kept when something else has moved in', () => {
    const now = withApp(before, testApp('/b/other'));
    expect(withoutEmptyGroups(now, ['/b'])).toEqual(now);
  });

  it('are not brought back when they are gone by now', () => {
    expect(withoutEmptyGroups(before, ['/b/c', '/b'])).toEqual(before);
  });
});
