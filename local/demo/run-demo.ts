import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Platform, startPlatform } from '../platform/platform.ts';
import { createSampleRepository } from '../sample/repository.ts';
import type { Notice } from './chat-room.ts';
import { expectations } from './expectations.ts';
import type { DemoReport } from './report.ts';
import { openRoom, play } from './scenario.ts';
import type { Timeline } from './timeline.ts';

/** Seconds between two looks of autoscaling, and what it looks at. */
const AUTOSCALE = { everySeconds: 3, windowSeconds: 3 };
/** Collected by hand at the end; what the demo has just pushed may go. */
const COLLECT_GARBAGE = { everySeconds: 86_400, graceSeconds: 1 };

export interface DemoOptions {
  /** Directory of the platform; the report goes there too, as `demo-report.json`. */
  readonly dir: string;
  readonly timeline: Timeline;
  /** Called when the play is over and the platform still runs. */
  readonly afterwards?: (platform: Platform) => Promise<void>;
}

/** Starts the platform, plays the demo on it, writes its report and ends everything. */
export async function runDemo({ dir, timeline, afterwards }: DemoOptions): Promise<DemoReport> {
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
    const sample = await createSampleRepository(resolve(dir, 'sample.git'), { nodeVersion: process.versions.node });
    const commits = {
      draft: await sample.push('draft'),
      first: await sample.push('first'),
      good: await sample.push('good'),
      bad: await sample.push('bad'),
    };
    const repository = `file://${sample.path}`;
    platform = await startPlatform({
      dir,
      log: (line) => timeline.say(line),
      services: { sample: { repository, branch: 'main' } },
      chatOutboundUrls: [room.url],
      schedules: { autoscale: AUTOSCALE, collectGarbage: COLLECT_GARBAGE },
    });
    timeline.say(`the platform runs; Temporal UI: ${platform.urls.temporalUi}`);
    const { more, ...played } = await play({ platform, room, notices, repository, commits, timeline });
    const report = { ...played, expectations: expectations(played, more) };
    const file = join(dir, 'demo-report.json');
    await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
    await afterwards?.(platform);
    return report;
  } finally {
    await platform?.stop();
    await room.close();
  }
}
