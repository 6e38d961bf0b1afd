/** What differs between the wire dialects of Marathon releases. Chosen at start; clients tell them by `/v2/info`. */
export interface Profile {
  readonly name: ProfileName;
  /** `version` of `/v2/info`. */
  readonly version: string;
  readonly defaultMaxLaunchDelaySeconds: number;
  /** `<safe path>.marathon-<uuid>` up to 1.7, `<safe path>.instance-<uuid>` from 1.8. */
  readonly instancePrefix: 'marathon-' | 'instance-';
  /** From 1.8 a task id is that of its instance and an incarnation: `….instance-<uuid>._app.1`. */
  readonly taskIdsCountIncarnations: boolean;
  /** Key of the statistics that `embed=app.taskStats` asks for. */
  readonly taskStatsKey: 'taskStats' | 'tasksStats';
  /** What an instance is called between its launch and the first update. */
  readonly launchedCondition: 'Created' | 'Provisioned';
}

export type ProfileName = '1.7' | '1.11';

/** Third-party clients were written against 1.7 and older; it is the default. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  '1.7': {
    name: '1.7',
    version: '1.7.236',
    defaultMaxLaunchDelaySeconds: 3600,
    instancePrefix: 'marathon-',
    taskIdsCountIncarnations: false,
    taskStatsKey: 'taskStats',
    launchedCondition: 'Created',
  },
  '1.11': {
    name: '1.11',
    version: '1.11.26',
    defaultMaxLaunchDelaySeconds: 300,
    instancePrefix: 'instance-',
    taskIdsCountIncarnations: true,
    taskStatsKey: 'tasksStats',
    launchedCondition: 'Provisioned',
  },
};
