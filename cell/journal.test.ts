import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Journal } from './journal.ts';

let directory: string;
let journal: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-journal-'));
  journal = join(directory, 'a.journal');
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('Journal', () => {
  it('has every change before the process could die', () => {
    // Never closed: what a killed process leaves is what is in the file now.
    const first = new Journal(journal);
    first.put('a', { n: 1 });
    first.put('a', { n: 2 });
    first.put('b', 'x');
    first.remove('b');
    first.put('c/1', 1);
    first.put('c/2', 2);
    const next = new Journal(journal);
    expect(next.get('a')).toEqual({ n: 2 });
    expect(next.get('b')).toBeUndefined();
    expect([...next.withPrefix('c/')]).toEqual([
      ['c/1', 1],
      ['c/2', 2],
    ]);
  });

  it('forgets a line that was torn by a crash', () => {
    const first = new Journal(journal);
    first.put('a', 1);
    first.close();
    appendFileSync(journal, '{"key":"b","val');
    const next = new Journal(journal);
    expect([next.get('a'), next.get('b')]).toEqual([1, undefined]);
    next.put('c', 3);
    expect(new Journal(journal).get('c')).toBe(3);
  });

  it('refuses a journal that is damaged elsewhere', () => {
    writeFileSync(journal, '{"key":"a","value":1}\nnonsense\n{"key":"b","value":2}\n');
    expect(() => new Journal(journal)).toThrow(/line 2 is damaged/);
  });

  it('takes nothing more when it is closed, lest it ends in another file', () => {
    const first = new Journal(journal);
    first.close();
    const other = join(directory, 'other');
    const file = openSync(other, 'w');
    expect(() => first.put('a', 1)).toThrow(/a\.journal is closed/);
    closeSync(file);
    expect(readFileSync(other, 'utf8')).toBe('');
    first.close();
  });

  it('does not grow without end by large entries either', () => {
    const first = new Journal(journal);
    const megabyte = 'x'.repeat(1024 * 1024);
    for (let count = 0; count < 60; count += 1) first.put('a', megabyte + count);
    expect(statSync(journal).size).toBeLessThan(20 * 1024 * 1024);
    expect(new Journal(journal).get('a')).toBe(`${megabyte}59`);
  });

  it('does not grow without end', () => {
    const first = new Journal(journal);
    for (let count = 0; count < 25_000; count += 1) first.put('a', count);
    expect(readFileSync(journal, 'utf8').split('\n').length).toBeLessThan(10_100);
    first.close();
    expect(new Journal(journal).get('a')).toBe(24_999);
    expect(statSync(journal).size).toBeLessThan(100);
  });
});
