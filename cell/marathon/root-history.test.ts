import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Journal } from '../journal.ts';
import { emptyGroup, findApp, type Root, withApp, withoutApp } from './groups.ts';
import { RootHistory } from './root-history.ts';
import { testApp } from './test-apps.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'root-history-'));
  path = join(directory, 'journal');
});
afterEach(() => rmSync(directory, { recursive: true }));

const version = (index: number) => new Date(1_700_000_000_000 + index).toISOString();

/** Changes `/g/changing` so many times while `/g/still` and `/top` stay as they are. */
function grow(history: RootHistory, changes: number): Root {
  let root: Root = history.current;
  const first = [testApp('/g/still'), testApp('/top')];
  let group = first.reduce(withApp, emptyGroup('/'));
  for (let index = 0; index < changes; index += 1) {
    group = withApp(group, testApp('/g/changing', { instances: index }));
    root = { version: version(index), group };
    history.push(root);
  }
  return root;
}

describe('RootHistory', () => {
  it('is the same after a restart', () => {
    const before = new RootHistory(new Journal(path));
    grow(before, 3);
    const after = new RootHistory(new Journal(path));
    expect(after.all).toEqual(before.all);
    expect(findApp(after.all[0] ?? after.current, '/g/still')).toBe(findApp(after.current, '/g/still'));
  });

  it('keeps fifty trees and no definition that none of them has', () => {
    const history = new RootHistory(new Journal(path));
    const root = grow(history, 120);
    expect(history.all).toHaveLength(50);
    const journal = new Journal(path);
    expect([...journal.withPrefix('root ')]).toHaveLength(50);
    // Fifty of the app that changed, one of each that did not.
    expect([...journal.withPrefix('definition ')]).toHaveLength(52);
    expect(new RootHistory(journal).current).toEqual(root);
  });

  it('keeps the definition of an app that is gone as long as a former tree has it', () => {
    const history = new RootHistory(new Journal(path));
    const root = grow(history, 1);
    history.push({ version: version(1000), group: withoutApp(root.group, '/top') });
    const [former] = new RootHistory(new Journal(path)).all;
    expect(former && findApp(former, '/top')).toEqual(findApp(root, '/top'));
  });

  it('writes an app that does not change once', () => {
    grow(new RootHistory(new Journal(path)), 20);
    expect(readFileSync(path, 'utf8').match(/"id":"\/g\/still"/g)).toHaveLength(1);
  });
});
