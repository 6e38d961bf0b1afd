/** What two Marathons have in common: an answer or an event without times, ids, ports and addresses of its own. */

/** Such as `2026-11-22T09:54:48.141Z`; those that a recorder invented are of other years. */
const TIME = /^202\d-\d\d-\d\dT[\d:.]+Z$/;
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
/** Agents of Mesos are numbered: `<uuid>-S0`. */
const AGENT = /UUID-S\d+/g;
const OFFER = /UUID-O\d+/g;
/** Of two servers, or two names of one. */
const PLACE = /\bagent\d:\d{4,5}\b/g;
const ADDRESS = /\b(?:marathon\.local|127\.0\.0\.1|localhost|0\.0\.0\.0):\d{4,5}\b/g;
/** Of a container on a bridge. */
const CONTAINER = /\b172\.\d+\.\d+\.\d+\b/g;
/** What an engine says to a pull that failed, and where the engine is. */
const ENGINE = /docker -H unix:\/\/\S+|(?<=Error response from daemon: ).*/gs;

/** Here the original tells its inner state. */
const DUMP = 'Validation failed: Failure(';

/** Values that say nothing about Marathon. */
const OWN: ReadonlySet<string> = new Set([
  'slaveId',
  'agentId',
  'frameworkId',
  'leader',
  'buildref',
  'zk',
  'averageSeconds',
  'medianSeconds',
  'http_port',
  'host',
  'master',
  'remoteAddress',
  'clientIp',
]);

/** Moments, not versions: should one be the same as a version, that is chance. */
const MOMENTS: ReadonlySet<string> = new Set([
  'since',
  'stagedAt',
  'startedAt',
  'timestamp',
  'firstSuccess',
  'lastSuccess',
  'lastFailure',
  'lastUsedOfferAt',
  'lastUnusedOfferAt',
]);

/** Lists that come out of maps and sets: their order changes from answer to answer. */
const UNORDERED: ReadonlySet<string> = new Set([
  'apps',
  'groups',
  'details',
  'errors',
  'tasks',
  'versions',
  'actions',
  'currentActions',
  'affectedApps',
  'deployments',
  'constraints',
  'acceptedResourceRoles',
  'healthChecks',
  'readinessCheckResults',
  'dependencies',
  'resources',
  'queue',
  '*',
]);

/**
 * The value with everything masked that no two servers share. Lists without an order are sorted, and
 * so are the keys of objects.
 *
 * @param known versions and ids that both servers are known to mean the same thing by: they stay, so that they must
 * be equal
 */
export function comparable(value: unknown, known: ReadonlySet<string> = new Set(), name = ''): unknown {
  // A list of nothing but versions, whatever it is called.
  const key = Array.isArray(value) && value.length > 1 && value.every(isTime) ? 'versions' : name;
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item, known, ['ports', 'versions'].includes(key) ? key : ''));
    return UNORDERED.has(key) ? items.toSorted(byText) : items;
  }
  if (typeof value === 'object' && value !== null) {
    // Of the configuration only which keys there are: clients choke on others.
    if (key === 'marathon_config') return Object.keys(value).toSorted();
    const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(members.map(([name, member]) => [name, comparable(member, known, name)]));
  }
  if (key === 'ports') return 'a port';
  if (OWN.has(key) && value !== null) return `a ${key}`;
  if (typeof value !== 'string') return value;
  if (MOMENTS.has(key) && TIME.test(value)) return 'a time';
  if (known.has(value)) return value;
  if (TIME.test(value)) return 'a time';
  if (value.startsWith(DUMP)) return DUMP;
  return value
    .replaceAll(UUID, (id) => (known.has(id) ? id : 'UUID'))
    .replaceAll(AGENT, 'AGENT')
    .replaceAll(OFFER, 'OFFER')
    .replaceAll(ADDRESS, 'ADDRESS')
    .replaceAll(CONTAINER, 'CONTAINER')
    .replaceAll(ENGINE, 'ENGINE')
    .replaceAll(PLACE, 'PLACE');
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && TIME.test(value);
}

function byText(a: unknown, b: unknown): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
