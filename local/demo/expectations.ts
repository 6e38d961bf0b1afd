import type { DemoReport, Expectation } from './report.ts';

/** Answers of the bad version that the report must show: it was on the way, and it was caught early. */
const BAD_REVISION_SHARE = 0.2;

/** What must be true of a demo; its exit code is 0 only if all of it holds. */
export function expectations(report: Omit<DemoReport, 'expectations'>, more: readonly Expectation[]): Expectation[] {
  const { releases, traffic, rollback, autoscale, gc, historyEvents } = report;
  const outcomes = releases.map(({ version, outcome }) => `${version} ${outcome}`).join(', ');
  const bad = traffic.byRevision['r3'];
  const good = Object.entries(traffic.byRevision).filter(([revision]) => revision !== 'r3');
  const events = Object.values(historyEvents);
  return [
    ...more,
    {
      what: 'the draft and versions 1 and 2 are released, version 3 comes back by itself',
      held: outcomes === '0.9.0 released, 1.0.0 released, 2.0.0 released, 3.0.0 rolled-back',
      seen: outcomes,
    },
    {
      what: 'no request fails for any cause but the own errors of version 3',
      held: traffic.requests > 0 && traffic.failed === 0 && good.every(([, { own500 }]) => own500 === 0),
      seen: `${traffic.failed} of ${traffic.requests} requests failed${traffic.failures.map((line) => `; ${line}`).join('')}`,
    },
    {
      what: 'version 3 answered errors, to its canary share alone',
      held: bad !== undefined && bad.own500 > 0 && bad.requests < BAD_REVISION_SHARE * traffic.requests,
      seen: bad ? `${bad.own500} errors in ${bad.requests} answers of r3` : 'r3 answered nothing',
    },
    {
      what: 'the rollback moved all traffic back, then restored everything',
      held: rollback.decisionToTrafficMs >= 0 && rollback.decisionToDoneMs >= rollback.decisionToTrafficMs,
      seen: `traffic after ${rollback.decisionToTrafficMs} ms, everything after ${rollback.decisionToDoneMs} ms`,
    },
    {
      what: 'instances grow with the doubled load and shrink after it',
      held: autoscale.to > autoscale.from && autoscale.back < autoscale.to,
      seen: `${autoscale.from}, then ${autoscale.to}, then ${autoscale.back} instances`,
    },
    {
      what: 'garbage collection deletes what nobody needs and wins its bytes',
      held: gc.tagsDeleted > 0 && gc.bytesReclaimed > 0 && gc.kept.length > 0,
      seen: `${gc.tagsDeleted} tags, ${gc.bytesReclaimed} bytes, ${gc.kept.length} digests kept`,
    },
    {
      what: 'every release has its history, of less than 400 events',
      held: events.length === releases.length && events.every((count) => count > 0 && count < 400),
      seen: events.join(', '),
    },
  ];
}
