import { describe, it } from '@jest/globals';

/** One step of a chapter; as Jest's `it`. */
export type Step = (what: string, run: () => Promise<void>) => void;

/**
 * Tests of which each goes on from where the one before has led. After one that failed those that follow fail at once,
 * saying so, and do not wait for what will never be.
 */
export function chapter(subject: string, tell: (step: Step) => void): void {
  describe(subject, () => {
    let unfinished: string | undefined;
    tell((what, run) => {
      it(what, async () => {
        if (unfinished !== undefined) throw new Error(`not tried, because the step "${unfinished}" failed`);
        unfinished = what;
        await run();
        unfinished = undefined;
      });
    });
  });
}
