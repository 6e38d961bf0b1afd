/**
 * Where real Marathons breach their own published types. The cell may do the same where its profile's release does;
 * `contract-records.test.ts` proves of every line that each release it names was seen doing it.
 */
export interface Deviation {
  /** As `Contract` words it. */
  readonly breach: string;
  readonly releases: readonly Release[];
  /** Of these no record has it either way; the profile does as its neighbour, whose records are played on it too. */
  readonly assumed?: readonly Release[];
  readonly why: string;
}

/** Oldest first. */
export const RELEASES = ['1.7.236', '1.8.244', '1.9.109', '1.11.26'] as const;
export type Release = (typeof RELEASES)[number];

const OLD: readonly Release[] = ['1.7.236', '1.8.244'];
const NEW: readonly Release[] = ['1.9.109', '1.11.26'];

const NULLS = 'The configuration is written with null for what is not set; the type says it is left out.';
const LATER = 'Roles came with 1.9; the types are those of 1.11.';
const FLAGS = 'The types list the flags of another release.';

export const DEVIATIONS: readonly Deviation[] = [
  {
    breach: 'error.ErrorDetail: does not know path',
    releases: RELEASES,
    why: 'Every refused field is named by its path; the examples beside the type show it.',
  },
  {
    breach: 'error.Error: does not know deployments',
    releases: RELEASES,
    why: '409 for a locked app names the deployments; the example beside the type shows it.',
  },
  {
    breach: 'error.Error/details: must be array',
    releases: ['1.7.236', '1.11.26'],
    why: '400 for what is no JSON has the text of the parser as details.',
  },
  { breach: 'info.MarathonConfig/access_control_allow_origin: must be array', releases: RELEASES, why: NULLS },
  { breach: 'info.MarathonConfig/default_network_name: must be string', releases: RELEASES, why: NULLS },
  { breach: 'info.MarathonConfig/env_vars_prefix: must be string', releases: RELEASES, why: NULLS },
  { breach: 'info.MarathonConfig/mesos_role: must be string', releases: OLD, why: NULLS },
  { breach: 'info.MarathonConfig/webui_url: must be string', releases: RELEASES, why: NULLS },
  { breach: 'info.MarathonConfig: does not know maintenance_mode', releases: RELEASES, why: FLAGS },
  { breach: 'info.MarathonConfig: does not know new_group_enforce_role', releases: NEW, why: FLAGS },
  { breach: 'info.MarathonConfig: does not know revive_offers_for_new_apps', releases: OLD, why: FLAGS },
  { breach: 'info.MarathonConfig: does not know revive_offers_repetitions', releases: OLD, why: FLAGS },
  { breach: 'task.Task: lacks role', releases: OLD, why: LATER },
  { breach: 'queue.QueueApp: lacks role', releases: OLD, why: LATER },
  {
    breach: 'app.AppInfo: does not know taskStats',
    releases: OLD,
    assumed: ['1.9.109'],
    why: 'The statistics were renamed to tasksStats after 1.8.',
  },
  {
    breach: 'app.App/cpus: must be >= 0.001',
    releases: ['1.11.26'],
    why: 'An app that wants no cpus at all is accepted and shown.',
  },
  {
    breach: 'stringTypes.InstanceId: must match pattern "^(.+)\\.(instance-|marathon-)([^\\.]+)$"',
    releases: ['1.7.236', '1.11.26'],
    why: 'Results of readiness checks name the task, not the instance, whatever the type says.',
  },
];

/** The breaches that no record excuses. What an earlier release was seen doing, and a later one, those between do too. */
export function unexcused(breaches: readonly string[], release: Release): readonly string[] {
  const place = RELEASES.indexOf(release);
  const excused = DEVIATIONS.filter(({ releases, assumed = [] }) => {
    const places = [...releases, ...assumed].map((one) => RELEASES.indexOf(one));
    return Math.min(...places) <= place && place <= Math.max(...places);
  }).map(({ breach }) => breach);
  return breaches.filter((breach) => !excused.includes(breach));
}
