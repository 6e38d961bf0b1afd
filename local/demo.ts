/** `make demo`: a real service from a git push to production, and a bad version back by itself, under load. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderRelease } from '../cli/render-release.ts';
import type { Notice } from './demo/chat-room.ts';
import { expectations } from './demo/expectations.ts';
import { openRoom, play } from './demo/scenario.ts';
import { timeline as openTimeline } from './demo/timeline.ts';
import { type Platform, startPlatform } from './platform/platform.ts';
import { createSampleRepository } from './sample/repository.ts';

/** Seconds between two looks of autoscaling, and what it looks at. */
const AUTOSCALE = { everySeconds: 3, windowSeconds: 3 };
/** Collected by hand at the end; what the demo has just pushed may go. */
const COLLECT_GARBAGE = { everySeconds: 86_400, graceSeconds: 1 };

const startedAt = Date.now();
const timeline = openTimeline(process.stdout, renderRelease, startedAt);
const dir = '.slipway';
const notices: Notice[] = [];
let platform: Platform | undefined;

const room = await openRoom(
  () => {
    if (!platform) throw new Error('the platform does not run yet');
    return platform;
  },
  (notice) => notices.push(notice),
);
try {
  const repository = await createSampleRepository(join(process.cwd(), dir, 'sample.git'), {
    nodeVersion: process.versions.node,
  });
  const commits = {
    draft: await repository.push('draft'),
    first: await repository.push('first'),
    good: await repository.push('good'),
    bad: await repository.push('bad'),
  };
  platform = await startPlatform({
    dir,
    log: (line) => timeline.say(line),
    services: { sample: { repository: `file://${repository.path}`, branch: 'main' } },
    chatOutboundUrls: [room.url],
    schedules: { autoscale: AUTOSCALE, collectGarbage: COLLECT_GARBAGE },
  });
  timeline.say(`the platform runs; Temporal UI: ${platform.urls.temporalUi}`);
  const repositoryUrl = `file://${repository.path}`;
  const { more, ...played } = await play({ platform, room, notices, repository: repositoryUrl, commits, timeline });
  const held = expectations(played, more);
  const file = join(dir, 'demo-report.json');
  await writeFile(file, `${JSON.stringify({ ...played, expectations: held }, null, 2)}\n`);
  for (const { what, held: ok, seen } of held) timeline.say(`${ok ? 'held' : 'NOT HELD'}: ${what} (${seen})`);
  const missed = held.filter(({ held: ok }) => !ok).length;
  timeline.say(`${held.length - missed} of ${held.length} expectations held; report: ${file}`);
  process.exitCode = missed === 0 ? 0 : 1;
} catch (error) {
  timeline.say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
} finally {
  await platform?.stop();
  await room.close();
}
