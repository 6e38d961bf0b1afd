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
  /** A kill-and-scale of an app that is not there names a path, not an app. Seen on 1.11. */
  readonly scaleNamesPath: boolean;
  /** A task id that is none is refused with 400 and by its name; up to 1.8 with 422 and the words of a UUID parser. */
  readonly refusesTaskIdsByName: boolean;
  /** The stream of events is given to clients that name no type at all, too. */
  readonly streamsWithoutAccept: boolean;
  /** Lists of tasks as plain text, for the clients of long ago. 1.11 only has them with `--deprecated_features`. */
  readonly tasksAsText: boolean;
  /** Groups have `enforceRole`: none, top-level groups alone, or all with the root. */
  readonly enforceRole: 'none' | 'top' | 'all';
  /** Members of groups that were not asked for are shown as empty lists, not left out. */
  readonly emptyGroupLists: boolean;
  /** Of the answer to a PUT that makes a group. */
  readonly groupMadeByPutStatus: 200 | 201;
  /** Answers forbid browsers to show them in frames. */
  readonly forbidsFrames: boolean;
  /** 404 has `details: []`, unless the change itself found that there was nothing to change. */
  readonly notFoundHasDetails: boolean;
  /** Of answers to faults of the original: 500 there, while the default profile answers what was meant. */
  readonly faultStatus: 422 | 500;
  /** Of answers to paths that nothing is routed to. From 1.7 on the original says 500; the default profile 404. */
  readonly unroutedStatus: 404 | 500;
  /**
   * From 1.10 an upgrade counts those instances as healthy that Mesos reports so, which it never does of checks that
   * Marathon makes (commit e044bd7a3): at first it kills none, and with `maximumOverCapacity: 0` it never ends.
   */
  readonly upgradesTrustMesosAlone: boolean;
  /** From 1.9 on all that a leader undoes has one version: the moment when it began (commit bc92ff869). */
  readonly revertsShareVersion: boolean;
  /** In 1.11 the first offer for a `GROUP_BY` without value divides by zero and ends all launches (commit ddd6b19b1). */
  readonly groupByNeedsValue: boolean;
  /** Stopping an app tells that its checks are over; 1.7 and 1.8 were not seen to. */
  readonly tellsRemovedChecks: boolean;
  /** `lastTaskFailure` tells of a task that Mesos does not reach; 1.11 does not. */
  readonly unreachableIsFailure: boolean;
  /** What an instance is called between its launch and the first update. */
  readonly launchedCondition: 'Created' | 'Provisioned';
}

export type ProfileName = '1.7' | '1.9' | '1.11';

const MARATHON_1_11: Profile = {
  name: '1.11',
  version: '1.11.26',
  defaultMaxLaunchDelaySeconds: 300,
  instancesOutliveTasks: true,
  knowsTaskKilling: false,
  taskStatsKey: 'tasksStats',
  tellsRoles: true,
  createdAppListsTasks: false,
  reservedEndings: ['restart', 'tasks', 'versions', '.', '..'],
  refusesTaskIdsByName: true,
  scaleNamesPath: true,
  streamsWithoutAccept: true,
  tasksAsText: false,
  enforceRole: 'top',
  emptyGroupLists: true,
  groupMadeByPutStatus: 200,
  forbidsFrames: true,
  notFoundHasDetails: true,
  faultStatus: 500,
  unroutedStatus: 500,
  upgradesTrustMesosAlone: true,
  revertsShareVersion: true,
  groupByNeedsValue: true,
  tellsRemovedChecks: true,
  unreachableIsFailure: false,
  launchedCondition: 'Provisioned',
};

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
    refusesTaskIdsByName: false,
    scaleNamesPath: false,
    streamsWithoutAccept: false,
    tasksAsText: true,
    enforceRole: 'none',
    emptyGroupLists: false,
    groupMadeByPutStatus: 201,
    forbidsFrames: false,
    notFoundHasDetails: false,
    faultStatus: 422,
    unroutedStatus: 404,
    upgradesTrustMesosAlone: false,
    revertsShareVersion: false,
    groupByNeedsValue: false,
    tellsRemovedChecks: false,
    unreachableIsFailure: true,
    launchedCondition: 'Created',
  },
  '1.9': {
    ...MARATHON_1_11,
    name: '1.9',
    version: '1.9.109',
    taskStatsKey: 'taskStats',
    refusesTaskIdsByName: false,
    tasksAsText: true,
    enforceRole: 'all',
    upgradesTrustMesosAlone: false,
    groupByNeedsValue: false,
  },
  '1.11': MARATHON_1_11,
};
