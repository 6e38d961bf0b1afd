import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Store } from './store.ts';

let directory: string;
let journal: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'marathon-store-'));
  journal = join(directory, 'marathon.journal');
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('Store', () => {
  it('has every change before the process could die', () => {
    // Never closed: what a killed process leaves is what is in the file now.
    const store = new Store(directory);
    store.put('a', { n: 1 });
    store.put('a', { n: 2 });
    store.put('b', 'x');
    store.remove('b');
    store.put('c/1', 1);
    store.put('c/2', 2);
    const next = new Store(directory);
    expect(next.get('a')).toEqual({ n: 2 });
    expect(next.get('b')).toBeUndefined();
    expect([...next.withPrefix('c/')]).toEqual([
      ['c/1', 1],
      ['c/2', 2],
    ]);
  });

  it('forgets a line that was torn by a crash', () => {
    const store = new Store(directory);
    store.put('a', 1);
    store.close();
    appendFileSync(journal, '{"key":"b","val');
    const next = new Store(directory);
    expect([next.get('a'), next.get('b')]).toEqual([1, undefined]);
    next.put('c', 3);
    expect(new Store(directory).get('c')).toBe(3);
  });

  it('refuses a journal that is damaged elsewhere', () => {
    writeFileSync(journal, '{"key":"a","value":1}\nnonsense\n{"key":"b","value":2}\n');
    expect(() => new Store(directory)).toThrow(/line 2 is damaged/);
  });

  it('does not grow without end', () => {
    const store = new Store(directory);
    for (let count = 0; count < 25_000; count += 1) store.put('a', count);
    expect(readFileSync(journal, 'utf8').split('\n').length).toBeLessThan(10_100);
    store.close();
    expect(new Store(directory).get('a')).toBe(24_999);
    expect(statSync(journal).size).toBeLessThan(100);
  });
});
