/** `make demo`: a real service from a git push to production, and a bad version back by itself, under load. */
import { renderRelease } from '../cli/render-release.ts';
import { runDemo } from './demo/run-demo.ts';
import { timeline as openTimeline } from './demo/timeline.ts';
import { runCommandLine } from './setup-error.ts';

await runCommandLine(async () => {
  const timeline = openTimeline(process.stdout, renderRelease, Date.now());
  const { expectations } = await runDemo({ dir: '.slipway', timeline });
  for (const { what, held, seen } of expectations) timeline.say(`${held ? 'held' : 'NOT HELD'}: ${what} (${seen})`);
  const missed = expectations.filter(({ held }) => !held).length;
  timeline.say(
    `${expectations.length - missed} of ${expectations.length} expectations held; report: .slipway/demo-report.json`,
  );
  process.exitCode = missed === 0 ? 0 : 1;
});
