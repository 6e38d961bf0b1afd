/** What an agent answers over HTTP: its state, and the files of its sandboxes. */

import { type FileHandle, lstat, open, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { codeOf } from '../../activities/mesos/thrown.ts';
import type { TaskStatus } from '../../activities/mesos/types.ts';
import type { Agent } from './agent.ts';
import { agentFigures, stateOf as taskState } from './agent-figures.ts';
import { flatAttributes } from './attributes.ts';
import { executorName } from './executor-name.ts';
import { type Handler, type HttpRequest, Refusal, sendBody, sendEmpty, sendJson } from './http-server.ts';
import { nearestRoute } from './nearest-route.ts';
import { amountsOf, resourcesOf, unreservedOf } from './resources.ts';
import type { TaskRecord } from './task-record.ts';
import { byRole, flatLabels, flatResources, roleOf, stateTask } from './task-views.ts';
import { AGENT_CAPABILITIES, VERSION } from './version.ts';

/** An agent gives at most 16 pages of a file at a time (Mesos `files.cpp`). */
const MAX_READ_BYTES = 16 * 4096;

/** The routes that also answer what is below them; `/version` does not. */
const ANSWER_BELOW = [
  '/state',
  '/flags',
  '/health',
  '/containers',
  '/monitor/statistics',
  '/files/browse',
  '/files/read',
  '/files/download',
];

export interface AgentHandlerOptions {
  /** Only files below it are shown. */
  readonly workDirectory: string;
  /** Also answers to the names of before Mesos 0.25: `/state.json`, `/files/read.json`. */
  readonly jsonAliases: boolean;
  readonly flags: Readonly<Record<string, string>>;
}

export function agentHandler(agent: Agent, { workDirectory, jsonAliases, flags }: AgentHandlerOptions): Handler {
  return async (request, response) => {
    const plain = request.path.replace(/^\/slave\(1\)(?=\/)/, '');
    const asked = jsonAliases ? plain.replace(/\.json$/, '') : plain;
    const path = nearestRoute(asked, (each) => ANSWER_BELOW.includes(each)) ?? asked;
    switch (path) {
      case '/state':
        return sendJson(response, stateOf(agent, flags));
      case '/flags':
        return sendJson(response, { flags });
      case '/health':
        return sendEmpty(response, 200);
      case '/version':
        return sendJson(response, VERSION);
      case '/metrics/snapshot':
        return sendJson(response, agentFigures(agent.counted, Date.now()));
      case '/monitor/statistics':
        return sendJson(response, running(agent).map(runningExecutor));
      case '/containers':
        return sendJson(response, containersOf(agent));
      case '/files/browse':
        return sendJson(response, await browse(await resolve(request, workDirectory)));
      case '/files/read': {
        const text = JSON.stringify(await read(await resolve(request, workDirectory), request.query));
        // The bytes of the file go out as they are: one latin1 character is one byte.
        return sendBody(response, 200, 'application/json', Buffer.from(text, 'latin1'));
      }
      case '/files/download': {
        const file = await openFile(await resolve(request, workDirectory));
        const { size } = await file.stat();
        response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': String(size) });
        const bytes = file.createReadStream({ end: Math.max(0, size - 1) });
        await pipeline(bytes, response).catch((error: unknown) => {
          // The client went away; the file is closed all the same.
          if (codeOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
        });
        return;
      }
      default:
        throw new Refusal(404, '404 Not Found.');
    }
  };
}

function stateOf(agent: Agent, flags: AgentHandlerOptions['flags']): unknown {
  const records = agent.records();
  const used = amountsOf(records.filter(({ phase }) => phase !== 'ended').flatMap(({ task }) => [...task.resources]));
  const total = flatResources(agent.total);
  const frameworkIds = [...new Set(records.map(({ frameworkId }) => frameworkId))];
  const live = frameworkIds.filter((id) => records.some((record) => record.frameworkId === id && !record.completed));
  const frameworks = (ids: readonly string[]) =>
    ids.map((id) =>
      frameworkOf(
        agent,
        records.filter((record) => record.frameworkId === id),
      ),
    );
  return {
    ...VERSION,
    start_time: agent.startTime,
    id: agent.id,
    pid: `slave(1)@${agent.ip}:${agent.port}`,
    hostname: agent.hostname,
    capabilities: AGENT_CAPABILITIES,
    resources: total,
    reserved_resources: byRole(agent.total, flatResources),
    unreserved_resources: flatResources(unreservedOf(agent.total)),
    reserved_resources_full: byRole(agent.total, (reserved) => resourcesOf(reserved, { format: 'both' })),
    unreserved_resources_full: resourcesOf(unreservedOf(agent.total), { format: 'both' }),
    reserved_resources_allocated: byRole(used, flatResources),
    unreserved_resources_allocated: flatResources(unreservedOf(used)),
    resource_providers: [],
    attributes: flatAttributes(agent.attributes),
    master_hostname: agent.ip,
    flags,
    frameworks: frameworks(live),
    completed_frameworks: frameworks(frameworkIds.filter((id) => !live.includes(id))),
  };
}

function frameworkOf(agent: Agent, records: readonly TaskRecord[]): unknown {
  const [first] = records;
  const newest = [...records].reverse();
  return {
    id: first?.frameworkId,
    name: first?.frameworkInfo.name,
    user: first?.frameworkInfo.user,
    failover_timeout: first?.frameworkInfo.failover_timeout ?? 0,
    checkpoint: first?.frameworkInfo.checkpoint ?? false,
    hostname: first?.frameworkInfo.hostname ?? '',
    roles: first?.frameworkInfo.roles ?? [first?.frameworkInfo.role ?? '*'],
    executors: newest.filter(({ phase }) => phase !== 'ended').map((record) => executorOf(agent, record)),
    completed_executors: newest.filter(({ phase }) => phase === 'ended').map((record) => executorOf(agent, record)),
  };
}

/** Every task runs alone, in an executor named for it. */
function executorOf(agent: Agent, record: TaskRecord): unknown {
  const { task, statuses, frameworkId } = record;
  const state = taskState(record);
  const shown = stateTask({ frameworkId, agentId: agent.id, task, state, statuses });
  const ended = record.phase === 'ended';
  return {
    id: task.task_id.value,
    name: executorName(task),
    source: task.task_id.value,
    container: record.containerId,
    directory: record.directory,
    resources: flatResources(amountsOf(task.resources)),
    role: roleOf(task),
    labels: flatLabels(task.labels),
    tasks: ended ? [] : [shown],
    queued_tasks: [],
    completed_tasks: ended ? [shown] : [],
  };
}

function containersOf(agent: Agent): unknown {
  return running(agent).map((record) => ({
    container_id: record.containerId,
    ...runningExecutor(record),
    status: containerOf(record.statuses),
  }));
}

function running(agent: Agent): TaskRecord[] {
  return agent.records().filter(({ phase }) => phase === 'running');
}

/** How much it takes is not measured. */
function runningExecutor({ frameworkId, task }: TaskRecord): object {
  return {
    executor_id: task.task_id.value,
    executor_name: executorName(task),
    framework_id: frameworkId,
    source: task.task_id.value,
  };
}

/** What the agent itself knows of a container; addresses are added to updates alone. */
function containerOf(statuses: readonly TaskStatus[]): unknown {
  const known = statuses.findLast(({ container_status }) => container_status !== undefined)?.container_status;
  if (known === undefined) return undefined;
  const { network_infos: _, ...rest } = known;
  return rest;
}

/** A path that exists below the work directory, links followed; anything else is not found. */
async function resolve(request: HttpRequest, workDirectory: string): Promise<string> {
  const path = request.query.get('path');
  if (path === null || path === '') throw new Refusal(400, "Expecting 'path=value' in query.\n");
  try {
    const [real, root] = [await realpath(path), await realpath(workDirectory)];
    if (real === root || real.startsWith(root + sep)) return real;
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'EACCES') throw error;
  }
  throw new Refusal(404, '');
}

async function browse(directory: string): Promise<unknown[]> {
  if (!(await stat(directory)).isDirectory()) return [];
  const names = (await readdir(directory)).sort();
  return Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const info = await lstat(path);
      return {
        gid: String(info.gid),
        mode: modeText(info.mode, info.isDirectory()),
        mtime: Math.trunc(info.mtimeMs / 1000),
        nlink: info.nlink,
        path,
        size: info.size,
        uid: String(info.uid),
      };
    }),
  );
}

/** `offset=-1` asks for the size; the length is capped. */
async function read(path: string, query: URLSearchParams): Promise<{ data: string; offset: number }> {
  const offset = integer(query, 'offset', -1);
  const length = integer(query, 'length', MAX_READ_BYTES);
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (offset < 0) return { data: '', offset: size };
    if (offset >= size) return { data: '', offset };
    const bytes = Buffer.alloc(Math.min(length < 0 ? MAX_READ_BYTES : length, MAX_READ_BYTES, size - offset));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    return { data: bytes.toString('latin1', 0, bytesRead), offset };
  } finally {
    await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  if ((await stat(path)).isDirectory()) throw new Refusal(400, 'Cannot read a directory.\n');
  return open(path, 'r');
}

function integer(query: URLSearchParams, name: string, absent: number): number {
  const text = query.get(name);
  if (text === null) return absent;
  const value = Number(text);
  if (Number.isInteger(value)) return value;
  throw new Refusal(400, `Failed to parse ${name}: Failed to convert '${text}' to number.\n`);
}

/** As `ls -l` writes it. */
function modeText(mode: number, directory: boolean): string {
  const bits = [...'rwxrwxrwx'].map((letter, index) => ((mode >> (8 - index)) & 1 ? letter : '-'));
  return `${directory ? 'd' : '-'}${bits.join('')}`;
}
