import { log } from '@temporalio/workflow';
import type { ChatActivities } from '../activities/chat/activities.ts';
import type { ReleaseOutcome, ReleaseView } from '../domain/release.ts';
import { failureFrom } from './failure.ts';
import { activities, READ } from './options.ts';

/** What chat is told, in both languages. */
export interface Notice {
  readonly kind: 'approval' | 'ended' | 'drift';
  /** Workflow id of the release, or of the lane, that it is about. */
  readonly release: string;
  readonly text: { readonly en: string; readonly zh: string };
}

const OUTCOMES_ZH: Record<ReleaseOutcome, string> = {
  released: '已发布',
  'rolled-back': '已回滚',
  failed: '失败',
  aborted: '已中止',
};

/** The notice of a release that has ended. */
export function endedNotice(view: ReleaseView): Notice {
  const { failure, id, outcome = 'failed', service, version } = view;
  const what = version === undefined ? service : `${service} ${version}`;
  const because = failure ? `: ${failure.message}` : '';
  return {
    kind: 'ended',
    release: id,
    text: { en: `${what} ended as ${outcome}${because}`, zh: `${what} ${OUTCOMES_ZH[outcome]}${because}` },
  };
}

/** Tells chat. A chat that is away never holds up a release, so a failure is only logged. */
export async function tellChat(notice: Notice): Promise<void> {
  try {
    const chat = activities<ChatActivities>({ ...READ, scheduleToCloseTimeout: '1m' }, `Tell chat: ${notice.text.en}`);
    await chat.notify(notice);
  } catch (error) {
    if (!failureFrom(error)) throw error;
    log.warn('chat could not be told', { release: notice.release, kind: notice.kind, error });
  }
}
