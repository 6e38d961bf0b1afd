/** Makes records of a real Mesos and answers of the embedded one comparable: what must differ is given one name. */

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** Seconds or nanoseconds since the epoch; durations are far smaller. */
const isTime = (key: string, value: unknown) =>
  typeof value === 'number' && value > 1e9 && /(^|_)time(stamp)?$|nanoseconds|seconds$/.test(key);

/**
 * Ids of masters, containers and updates, times, pids and ports of servers by name; lists of frameworks, tasks and
 * roles in the order of their ids; lists of names with values as one object.
 */
export function comparable(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const named = value.filter((member) => isObject(member) && Object.keys(member).join() === 'name,value');
    if (value.length > 0 && named.length === value.length) {
      return comparable(Object.fromEntries(named.map((each) => [each['name'], each['value']])));
    }
    const members = value.map((member) => comparable(member, key));
    return members.every((member) => idOf(member) !== '') && key !== 'statuses'
      ? members.sort((a, b) => idOf(a).localeCompare(idOf(b)))
      : members;
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, comparable(member, name)]));
  }
  if (typeof value === 'string') {
    if (/^(status_update_)?uuid$/.test(key)) return 'UUID';
    if (key === 'port') return 'PORT';
    return value
      .replace(UUID, 'M')
      .replace(/-O\d+$/, '-O')
      .replace(/:\d{4,5}$/, ':PORT');
  }
  if (isTime(key, value)) return 'TIME';
  if (key === 'executor_pid') return 'PID';
  return key === 'port' ? 'PORT' : value;
}

export interface Difference {
  /** Such as `.update.status.reason`, with `[]` for a member of a list. */
  readonly path: string;
  readonly recorded: unknown;
  readonly ours: unknown;
}

/** Where two comparable values differ; a member that only one has is undefined in the other. */
export function differences(recorded: unknown, ours: unknown, path = ''): Difference[] {
  if (Array.isArray(recorded) && Array.isArray(ours)) {
    if (recorded.length !== ours.length) return [{ path, recorded, ours }];
    return recorded.flatMap((member, index) => differences(member, ours[index], `${path}[]`));
  }
  if (isObject(recorded) && isObject(ours)) {
    return [...new Set([...Object.keys(recorded), ...Object.keys(ours)])].flatMap((name) =>
      differences(recorded[name], ours[name], `${path}.${name}`),
    );
  }
  return Object.is(recorded, ours) ? [] : [{ path, recorded, ours }];
}

function idOf(member: unknown): string {
  if (!isObject(member)) return '';
  const { framework_info: info, task_id, id, name } = member;
  for (const candidate of [isObject(info) ? info['id'] : undefined, task_id, id, name]) {
    const text = isObject(candidate) ? candidate['value'] : candidate;
    if (typeof text === 'string') return text;
  }
  return '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
