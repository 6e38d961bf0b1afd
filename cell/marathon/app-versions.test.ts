import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Journal } from '../journal.ts';
import { AppVersions } from './app-versions.ts';
import { testApp } from './test-apps.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'app-versions-'));
  path = join(directory, 'journal');
});
afterEach(() => rmSync(directory, { recursive: true }));

const at = (second: number, cmd = 'sleep 1') => ({ ...testApp('/a', { cmd }), version: time(second) });
const time = (second: number) => new Date(1_700_000_000_000 + second * 1000).toISOString();

describe('AppVersions', () => {
  it('lists the one in force first, and those that were refused, over a restart', () => {
    const versions = new AppVersions(new Journal(path));
    versions.accept(at(1));
    versions.refuse(at(2, 'refused'));
    versions.accept(at(3));
    for (const one of [versions, new AppVersions(new Journal(path))]) {
      expect(one.list('/a')).toEqual([time(3), time(1), time(2)]);
      expect(one.accepted('/a')).toEqual([at(1), at(3)]);
      expect(one.find('/a', time(2))?.cmd).toBe('refused');
    }
  });

  it('lists what was asked for in vain, if a list was read before and the app was not deleted since', () => {
    const versions = new AppVersions(new Journal(path));
    versions.accept(at(1));
    expect(versions.find('/a', time(7))).toBeUndefined();
    expect(versions.list('/a')).toEqual([time(1)]);
    expect(versions.find('/a', time(8))).toBeUndefined();
    expect(versions.list('/a')).toEqual([time(1), time(8)]);
    versions.gone('/a');
    expect(versions.list('/a')).toEqual([time(1)]);
  });

  it('has a version once, with what it says last', () => {
    const versions = new AppVersions(new Journal(path));
    versions.accept(at(1, 'first'));
    versions.accept(at(2));
    versions.accept(at(1, 'again'));
    expect(versions.list('/a')).toEqual([time(1), time(2)]);
    expect(versions.find('/a', time(1))?.cmd).toBe('again');
  });

  it('keeps the newest fifty of either kind, and none of what nothing has any more', () => {
    const versions = new AppVersions(new Journal(path));
    for (let index = 0; index < 60; index += 1) versions.accept(at(index));
    for (let index = 100; index < 160; index += 1) versions.refuse(at(index));
    expect(versions.list('/a')).toHaveLength(100);
    versions.forget('/a');
    expect(new AppVersions(new Journal(path)).list('/a')).toEqual([]);
  });
});
