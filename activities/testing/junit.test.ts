import { describe, expect, it } from '@jest/globals';
import { readJunit } from './junit.ts';

describe('readJunit', () => {
  it('counts the cases of nested suites', () => {
    const xml = `<?xml version="1.0"?>
      <testsuites tests="99"><testsuite name="a"><testcase name="one" classname="c" time="0.25"/>
        <testsuite name="inner"><testcase name="two"><failure message="expected 1">at line 3</failure></testcase></testsuite>
        </testsuite><testsuite name="b"><testcase name="three"><skipped/></testcase><testcase name="four"><error>boom</error></testcase></testsuite>
      </testsuites>`;
    expect(readJunit(xml)).toEqual({
      tests: 4,
      failures: 2,
      skipped: 1,
      cases: [
        { name: 'two', outcome: 'failed', message: 'expected 1\nat line 3' },
        { name: 'four', outcome: 'failed', message: 'boom' },
        { name: 'three', outcome: 'skipped' },
        { name: 'one', outcome: 'passed', seconds: 0.25 },
      ],
    });
  });

  it('reads one suite at the top, also one without cases', () => {
    expect(readJunit('<testsuite><testcase name="&lt;a&gt;"/></testsuite>')).toMatchObject({
      tests: 1,
      failures: 0,
      cases: [{ name: '<a>', outcome: 'passed' }],
    });
    expect(readJunit('<testsuite name="none"/>')).toMatchObject({ tests: 0, failures: 0 });
    expect(readJunit('<testsuites/>')).toMatchObject({ tests: 0, failures: 0 });
  });

  it('sees an empty failure', () => {
    expect(readJunit('<testsuite><testcase name="a"><failure/></testcase></testsuite>')).toMatchObject({
      failures: 1,
      cases: [{ name: 'a', outcome: 'failed' }],
    });
  });

  it('tells failures first and bounds what it tells, not what it counts', () => {
    const cases = Array.from({ length: 500 }, (_, index) => `<testcase name="t${index}"/>`).join('');
    const failed = `<testcase name="last"><failure message="${'x'.repeat(5000)}"/></testcase>`;
    const report = readJunit(`<testsuite>${cases}${failed}</testsuite>`);
    if ('problem' in report) throw new Error(report.problem);
    expect([report.tests, report.failures, report.cases.length]).toEqual([501, 1, 200]);
    expect(report.cases[0]?.name).toBe('last');
    expect(report.cases[0]?.message).toHaveLength(1000);
  });

  it.each(['', 'not xml', '<testsuite><testcase', '<html><body/></html>'])('does not take %j for a report', (xml) => {
    expect(readJunit(xml)).toHaveProperty('problem');
  });
});
