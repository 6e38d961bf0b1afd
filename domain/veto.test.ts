import { describe, expect, it } from '@jest/globals';
import { refuseLift, type Veto, vetoOn, vetoSentence, withoutVeto, withVeto } from './veto.ts';

const veto = (bundle: string, reason = 'errors'): Veto => ({
  bundle,
  version: '2.0.0',
  release: 'release/sample/2',
  reason,
  at: '2026-01-02T03:04:05.678Z',
});

describe('vetoes', () => {
  it.each([
    ['none known', undefined, 'b-1', undefined],
    ['another bundle', [veto('b-2')], 'b-1', undefined],
    ['this bundle', [veto('b-2'), veto('b-1')], 'b-1', veto('b-1')],
  ])('are found by bundle: %s', (_, vetoes, bundle, found) => {
    expect(vetoOn(vetoes, bundle)).toEqual(found);
  });

  it('are one a bundle, and the first stays', () => {
    const once = withVeto(undefined, veto('b-1', 'first'));
    expect(withVeto(once, veto('b-1', 'second'))).toEqual([veto('b-1', 'first')]);
    expect(withVeto(once, veto('b-2'))).toEqual([veto('b-1', 'first'), veto('b-2')]);
  });

  it('are lifted one by one, and only where there is one', () => {
    const two = [veto('b-1'), veto('b-2')];
    expect(withoutVeto(two, 'b-1')).toEqual([veto('b-2')]);
    expect(withoutVeto(undefined, 'b-1')).toEqual([]);
    expect(refuseLift(two, 'b-1')).toBeUndefined();
    expect(refuseLift(two, 'b-3')).toEqual({
      type: 'UnknownVeto',
      message: 'there is no veto on b-3 here; there are on b-1, b-2',
    });
    expect(refuseLift(undefined, 'b-3')?.message).toBe('there is no veto on b-3 here');
  });

  it('say who took the bundle back, when, why, and what to do', () => {
    expect(vetoSentence('prod', veto('b-1'))).toBe(
      '2.0.0 (b-1) was taken back from prod by release/sample/2 at 2026-01-02T03:04:05.678Z: errors; lift the veto or release a new version',
    );
  });
});
