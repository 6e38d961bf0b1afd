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
  /** From 1.9 apps, tasks and queue items carry the Mesos role they run in: `*` unless another is asked for. */
  readonly tellsRoles: boolean;
  /** The answer to a POST of an app lists its (no) tasks. */
  readonly createdAppListsTasks: boolean;
  /** What an id may not end with; from 1.8 also `.` and `..`. */
  readonly reservedEndings: readonly string[];
  /** Of answers to faults of the original: 500 there, while the default profile answers what was meant. */
  readonly faultStatus: 422 | 500;
  /** Of answers to paths that nothing is routed to. From 1.7 on the original says 500; the default profile 404. */
  readonly unroutedStatus: 404 | 500;
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
    tellsRoles: false,
    createdAppListsTasks: true,
    reservedEndings: ['restart', 'tasks', 'versions'],
    faultStatus: 422,
    unroutedStatus: 404,
    launchedCondition: 'Created',
  },
  '1.11': {
    name: '1.11',
    version: '1.11.26',
    defaultMaxLaunchDelaySeconds: 300,
    instancePrefix: 'instance-',
    taskIdsCountIncarnations: true,
    taskStatsKey: 'tasksStats',
    tellsRoles: true,
    createdAppListsTasks: false,
    reservedEndings: ['restart', 'tasks', 'versions', '.', '..'],
    faultStatus: 500,
    unroutedStatus: 500,
    launchedCondition: 'Provisioned',
  },
};
