/** What differs between the wire dialects of Marathon releases. Chosen at start; clients tell them by `/v2/info`. */
export interface Profile {
  readonly name: ProfileName;
  /** `version` of `/v2/info`. */
  readonly version: string;
  readonly defaultMaxLaunchDelaySeconds: number;
  /**
   * From 1.8 an instance is there before its first task (`Scheduled`), and keeps its id over several: a task id is that
   * of its instance and a number, `….instance-<uuid>._app.1`. Up to 1.7 it begins and ends with its one task.
   */
  readonly instancesOutliveTasks: boolean;
  /** The framework can be told of `TASK_KILLING`. The recorded 1.7 was; 1.11 only with `--enable_features`. */
  readonly knowsTaskKilling: boolean;
  /** Key of the statistics that `embed=app.taskStats` asks for. */
  readonly taskStatsKey: 'taskStats' | 'tasksStats';
  /** From 1.9 apps, tasks and queue items carry the Mesos role they run in: `*` unless another is asked for. */
  readonly tellsRoles: boolean;
  /** The answer to a POST of an app lists its (no) tasks. */
  readonly createdAppListsTasks: boolean;
  /** What an id may not end with; from 1.8 also `.` and `..`. */
  readonly reservedEndings: readonly string[];
  /** 404 has `details: []`, unless the change itself found that there was nothing to change. */
  readonly notFoundHasDetails: boolean;
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
    instancesOutliveTasks: false,
    knowsTaskKilling: true,
    taskStatsKey: 'taskStats',
    tellsRoles: false,
    createdAppListsTasks: true,
    reservedEndings: ['restart', 'tasks', 'versions'],
    notFoundHasDetails: false,
    faultStatus: 422,
    unroutedStatus: 404,
    launchedCondition: 'Created',
  },
  '1.11': {
    name: '1.11',
    version: '1.11.26',
    defaultMaxLaunchDelaySeconds: 300,
    instancesOutliveTasks: true,
    knowsTaskKilling: false,
    taskStatsKey: 'tasksStats',
    tellsRoles: true,
    createdAppListsTasks: false,
    reservedEndings: ['restart', 'tasks', 'versions', '.', '..'],
    notFoundHasDetails: true,
    faultStatus: 500,
    unroutedStatus: 500,
    launchedCondition: 'Provisioned',
  },
};
