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

  it('keeps a tree that was refused, and not as the present one', () => {
    const history = new RootHistory(new Journal(path));
    const root = grow(history, 2);
    const refused = { version: version(1000), group: withApp(root.group, testApp('/g/refused')) };
    history.pushRefused(refused);
    for (const one of [history, new RootHistory(new Journal(path))]) {
      expect(one.current).toEqual(root);
      expect(one.all).toEqual([refused, expect.anything(), root]);
    }
  });

  it('puts a tree in the place of a former one of its version, which may say something else', () => {
    const history = new RootHistory(new Journal(path));
    const root = grow(history, 2);
    const [first] = history.all;
    if (!first) throw new Error('there is no tree');
    const again = { version: first.version, group: withApp(root.group, testApp('/g/changing', { instances: 7 })) };
    history.push(again);
    const read = new RootHistory(new Journal(path));
    expect(read.all).toEqual([root, again]);
    expect(findApp(read.current, '/g/changing')?.instances).toBe(7);
  });

  it('tells which apps no tree has any more', () => {
    const history = new RootHistory(new Journal(path));
    const root = grow(history, 1);
    const without = { version: version(1000), group: withoutApp(root.group, '/top') };
    expect(history.push(without)).toEqual([]);
    const gone = Array.from({ length: 49 }, (_, index) =>
      history.push({ version: version(2000 + index), group: without.group }),
    );
    expect(gone.flat()).toEqual(['/top']);
  });
});
