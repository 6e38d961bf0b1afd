import { describe, expect, it } from '@jest/globals';
import { failureDetails } from './failure-details.ts';

const lines = (...details: unknown[]) => failureDetails({ type: 'any', message: 'it failed', details });

describe('the details of a failure', () => {
  it('are every error of a manifest with its path', () => {
    expect(
      lines([
        { path: 'run.memory', message: 'write memory with its unit' },
        { path: '', message: 'and 3 more errors' },
      ]),
    ).toEqual(['run.memory: write memory with its unit', 'and 3 more errors']);
  });

  it('are the end of a log', () => {
    expect(lines({ stage: 'unit-test', logTail: '$ npm test\n\nnot ok 1\n' })).toEqual(['$ npm test', '', 'not ok 1']);
  });

  it('are the tests that failed, each with its message', () => {
    const cases = [
      { name: 'has a price', outcome: 'failed', message: 'no price\nin {}' },
      { name: 'is healthy', outcome: 'failed' },
      { name: 'tells its version', outcome: 'passed' },
    ];
    expect(lines([{ name: 'contract', tests: 3, failures: 2, skipped: 0, cases, logTail: 'log' }])).toEqual([
      'contract: has a price: no price',
      'in {}',
      'contract: is healthy',
    ]);
  });

  it.each([[[]], [['text']], [[{ appId: '/prod/sample/r1' }]], [undefined], ['text']])(
    'are nothing for %j',
    (details) => {
      expect(failureDetails({ type: 'any', message: 'it failed', details })).toEqual([]);
    },
  );
});
