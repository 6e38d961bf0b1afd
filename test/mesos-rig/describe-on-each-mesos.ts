/**
 * Suites that run on both kinds of Mesos: what they say holds for the real one, and the embedded one is held to it.
 *
 *     describeOnEachMesos('offers', { agents: [{ name: 'a', attributes: 'env:fat' }] }, (under) => {
 *       under.it('come', async () => { new TestFramework(under.mesos.masterUrl) ... });
 *     });
 */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { cachedPath } from '../../local/toolbox/part.ts';
import { mesos as mesosPart } from '../../local/toolbox/parts/mesos.ts';
import { cacheDirectory } from '../../local/toolbox/toolbox.ts';
import { startCellMesos } from './cell-mesos.ts';
import type { MesosKind, MesosSetup, MesosUnderTest } from './mesos-under-test.ts';
import { NOT_ON_A_REAL_ONE } from './not-on-a-real-one.ts';
import { startRealMesos } from './real-mesos.ts';

/** Starts a Mesos; resolves when every agent has registered. */
function startMesosOf(kind: MesosKind, setup: MesosSetup): Promise<MesosUnderTest> {
  return kind === 'embedded' ? startCellMesos(setup) : startRealMesos(setup);
}

/** Why no real Mesos can be started here; undefined where one can. `make setup` installs it where it can be had. */
function realMesosIsMissing(): string | undefined {
  const path = cachedPath(mesosPart, cacheDirectory());
  return path !== undefined && existsSync(path)
    ? undefined
    : 'make setup could not bring a real Mesos onto this machine';
}

/** The suite's view of the Mesos it runs on. */
export interface UnderTest {
  readonly kind: MesosKind;
  /** Running from the first test to the last. */
  readonly mesos: MesosUnderTest;
  /** Jest's `it`, but for tests that NOT_ON_A_REAL_ONE names: these are skipped there, with the reason. */
  it(name: string, test: () => Promise<void> | void): void;
}

/**
 * Declares the suite once for each kind. Where no real Mesos can be had, its half is skipped and says why.
 * @param setup what to start for all tests of the suite together, or how to know it when the first begins
 */
export function describeOnEachMesos(
  what: string,
  setup: MesosSetup | (() => Promise<MesosSetup>),
  suite: (under: UnderTest) => void,
): void {
  for (const kind of ['embedded', 'real'] as const) {
    const missing = kind === 'real' ? realMesosIsMissing() : undefined;
    describe(`${what} (${kind} Mesos)`, () => {
      if (missing !== undefined) {
        it.skip(missing, () => undefined);
        return;
      }
      let mesos: MesosUnderTest | undefined;
      beforeAll(async () => {
        mesos = await startMesosOf(kind, typeof setup === 'function' ? await setup() : setup);
      }, 240_000);
      suite({
        kind,
        get mesos() {
          if (mesos === undefined) throw new Error('Mesos runs only while tests do');
          return mesos;
        },
        it: (name, test) => itOn(kind, name, test),
      });
      // The last of all: what the suite started on it ends before.
      afterAll(() => mesos?.stop(), 120_000);
    });
  }
}

/** Jest's `it` for a test on a kind of Mesos: skipped, with its reason, where NOT_ON_A_REAL_ONE names it. */
function itOn(kind: MesosKind, name: string, test: () => Promise<void> | void): void {
  const reason = kind === 'real' ? NOT_ON_A_REAL_ONE[name] : undefined;
  if (reason === undefined) it(name, test);
  else it.skip(`${name}: ${reason}`, test);
}
