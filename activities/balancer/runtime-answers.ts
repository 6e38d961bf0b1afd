import { z } from 'zod';

/**
 * HAProxy's runtime answers, parsed. Formats: HAProxy Management Guide, chapter 9.1 (CSV of `show stat`), 9.3 (`show
 * servers state`, format version 1; `show info`) and 9.4 (`show proc` of the master).
 */

/** One server of one backend, from `show servers state`. */
export interface ServerState {
  readonly backend: string;
  readonly name: string;
  /** Takes requests as far as checks and startup go. */
  readonly running: boolean;
  /** Taken out by an operator or by a server it tracks, for maintenance or to drain. */
  readonly withdrawn: boolean;
  /** The last health check that ended passed; it was made by this process, or handed to it at a reload. */
  readonly checkPassed: boolean;
  readonly weight: number;
}

/** Counters of one server, from `show stat`. All counts since the process started. */
export interface ServerCounters {
  readonly backend: string;
  readonly name: string;
  /** Takes or would take requests, whatever its weight. */
  readonly up: boolean;
  /** Requests it works on now. */
  readonly sessions: number;
  /** Final answers the server gave, of any status. */
  readonly answers: number;
  /** Answers with a status of 500 and above. */
  readonly errors5xx: number;
  /** Attempts that failed without an answer: refused or lost connections, broken or missing answers. */
  readonly errorsConnection: number;
  /** Average time from request to the head of the answer over the last 1,024 requests, ms; absent before any. */
  readonly latencyMs?: number;
}

/** The process that answers, from `show info`. */
export interface ProcessInfo {
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** What the configuration says of itself; empty when it says nothing. */
  readonly description: string;
}

/** One process of a master, from `show proc`. */
export interface MasterProcess {
  readonly pid: number;
  /** `worker` takes new connections; an `old worker` ends those it has. */
  readonly kind: 'master' | 'worker' | 'old worker';
  /** Reloads in a row that failed; 0 for all but a master. */
  readonly failedReloads: number;
}

/** Thrown for text that is not what the runtime API promises. */
export class RuntimeFormatError extends Error {
  constructor(what: string, text: string) {
    super(`${what}: ${JSON.stringify(text.slice(0, 200))}`);
    this.name = 'RuntimeFormatError';
  }
}

const count = z.coerce.number().int().nonnegative();

const ServerStateRow = z.object({
  be_name: z.string().min(1),
  srv_name: z.string().min(1),
  srv_op_state: count,
  srv_admin_state: count,
  srv_uweight: count,
  srv_check_status: count,
  srv_check_result: count,
});

/** `SRV_ST_RUNNING`; 3 is a server that its own check asked to drain. */
const RUNNING = 2;
/** `CHK_RES_PASSED`. While a check is under way the result is `CHK_RES_UNKNOWN`; the status is the last one's. */
const CHECK_PASSED = 3;
const CHECK_UNKNOWN = 0;
/** `HCHK_STATUS_L7OKD` and `HCHK_STATUS_L7OKCD`: an HTTP check has passed. */
const PASSED_STATUSES: ReadonlySet<number> = new Set([15, 16]);
/** Every bit of the administrative state but `SRV_ADMF_HMAINT` (0x40), which only says where an address came from. */
const WITHDRAWN = 0x3f;

/** Parses `show servers state`. @throws {RuntimeFormatError} */
export function parseServersState(text: string): readonly ServerState[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [version, header, ...rows] = lines;
  if (version?.trim() !== '1' || !header?.startsWith('# ')) {
    throw new RuntimeFormatError('is not version 1 of "show servers state"', text);
  }
  const columns = header.slice(2).trim().split(' ');
  return rows.map((line) => {
    const row = parseRow(ServerStateRow, columns, line.trim().split(' '), line);
    return {
      backend: row.be_name,
      name: row.srv_name,
      running: row.srv_op_state === RUNNING,
      withdrawn: (row.srv_admin_state & WITHDRAWN) !== 0,
      checkPassed:
        row.srv_check_result === CHECK_PASSED ||
        (row.srv_check_result === CHECK_UNKNOWN && PASSED_STATUSES.has(row.srv_check_status)),
      weight: row.srv_uweight,
    };
  });
}

/** `type` of a server's row. */
const SERVER = '2';
const emptyIsZero = z.preprocess((value) => (value === '' ? 0 : value), count);

const CountersRow = z.object({
  pxname: z.string().min(1),
  svname: z.string().min(1),
  status: z.string(),
  scur: emptyIsZero,
  econ: emptyIsZero,
  eresp: emptyIsZero,
  hrsp_2xx: emptyIsZero,
  hrsp_3xx: emptyIsZero,
  hrsp_4xx: emptyIsZero,
  hrsp_5xx: emptyIsZero,
  hrsp_other: emptyIsZero,
  rtime: emptyIsZero,
});

/** The servers of `show stat`, without frontends and backend sums. @throws {RuntimeFormatError} */
export function parseStat(text: string): readonly ServerCounters[] {
  const [header, ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  if (!header?.startsWith('# pxname,')) throw new RuntimeFormatError('is not the CSV of "show stat"', text);
  const columns = header.slice(2).split(',');
  const type = columns.indexOf('type');
  return lines
    .map((line) => ({ line, fields: csvFields(line) }))
    .filter(({ fields }) => fields[type] === SERVER)
    .map(({ line, fields }) => {
      const row = parseRow(CountersRow, columns, fields, line);
      const answers = row.hrsp_2xx + row.hrsp_3xx + row.hrsp_4xx + row.hrsp_5xx + row.hrsp_other;
      return {
        backend: row.pxname,
        name: row.svname,
        // A server with weight 0 is shown as one that drains.
        up: /^(UP|DRAIN|no check)/.test(row.status),
        sessions: row.scur,
        answers,
        errors5xx: row.hrsp_5xx,
        errorsConnection: row.econ + row.eresp,
        ...(answers === 0 ? {} : { latencyMs: row.rtime }),
      };
    });
}

const InfoFields = z.object({ Pid: count, Uptime_sec: count, description: z.string().optional() });

/** Parses `show info`. @throws {RuntimeFormatError} */
export function parseInfo(text: string): ProcessInfo {
  const pairs = text.split('\n').map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const info = InfoFields.safeParse(Object.fromEntries(pairs));
  if (!info.success) throw new RuntimeFormatError('is not "show info"', text);
  return { pid: info.data.Pid, uptimeSeconds: info.data.Uptime_sec, description: info.data.description ?? '' };
}

/** Parses `show proc` of the master's own socket. @throws {RuntimeFormatError} */
export function parseProcesses(text: string): readonly MasterProcess[] {
  const processes: MasterProcess[] = [];
  let old = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('# old workers')) old = true;
    else if (line.startsWith('#')) continue;
    const [pid, kind] = line.trim().split(/\s+/);
    const failedReloads = Number(/\[failed: (\d+)\]/.exec(line)?.[1] ?? 0);
    if (kind === 'master') processes.push({ pid: Number(pid), kind, failedReloads });
    if (kind === 'worker') processes.push({ pid: Number(pid), kind: old ? 'old worker' : kind, failedReloads: 0 });
  }
  if (!processes.some(({ kind }) => kind === 'master')) throw new RuntimeFormatError('is not "show proc"', text);
  return processes;
}

/** Splits a line of CSV; a field with a comma or a quote is in quotes, quotes in it are doubled. */
function csvFields(line: string): readonly string[] {
  const fields: string[] = [];
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
  }
  return fields;
}

function parseRow<T extends z.ZodType>(
  schema: T,
  columns: readonly string[],
  fields: readonly string[],
  line: string,
): z.output<T> {
  const row = schema.safeParse(Object.fromEntries(columns.map((column, index) => [column, fields[index]])));
  if (row.success) return row.data;
  throw new RuntimeFormatError(`lacks ${row.error.issues.map((issue) => issue.path.join('.')).join(', ')}`, line);
}
