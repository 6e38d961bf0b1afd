import { describe, expect, it } from '@jest/globals';
import { emptyGroup, type Group, withApp, withoutAddedGroups, withoutApp } from './groups.ts';
import { testApp } from './test-apps.ts';

const treeOf = (...ids: readonly string[]): Group =>
  ids.map((id) => testApp(id)).reduce<Group>(withApp, emptyGroup('/'));

describe('withoutAddedGroups', () => {
  const before = treeOf('/a/web');

  it('takes back groups that were made for an app alone', () => {
    const after = withApp(before, testApp('/a/b/c/db'));
    expect(withoutAddedGroups(withoutApp(after, '/a/b/c/db'), before, after)).toEqual(before);
  });

  it('keeps a group that something else has moved into', () => {
    const after = withApp(before, testApp('/b/db'));
    const now = withApp(withoutApp(after, '/b/db'), testApp('/b/other'));
    expect(withoutAddedGroups(now, before, after)).toEqual(now);
  });

  it('keeps a group that was there before, though it is empty now', () => {
    const empty = withoutApp(before, '/a/web');
    expect(withoutAddedGroups(empty, before, before)).toEqual(empty);
  });

  it('does not bring back what is gone by now', () => {
    const after = withApp(before, testApp('/b/db'));
    expect(withoutAddedGroups(before, before, after)).toEqual(before);
  });
});
