/** Reads what tasks left in their sandboxes, through an agent's `/state` and files endpoints. */
import type { z } from 'zod';
import { MesosAnswerError, MesosError } from './errors.ts';
import { callHttp } from './http-call.ts';
import { type AgentState, agentStateSchema, type FileInfo, fileInfoSchema, fileReadSchema } from './schemas.ts';
import type { Offer } from './types.ts';

/** An agent gives at most 16 pages at a time, whatever length is asked (Mesos `files.cpp`). */
const PIECE_BYTES = 64 * 1024;
const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

export interface ReadOptions {
  /** For each piece; default 10 s. */
  readonly timeoutMs?: number | undefined;
  /** Reading stops with an error above this; default 16 MiB. */
  readonly maxBytes?: number | undefined;
}

/** Where the agent behind an offer listens, such as `http://127.0.0.1:5051`; undefined if the offer does not say. */
export function agentUrlOf(offer: Offer): string | undefined {
  if (offer.url === undefined) return undefined;
  const { scheme, address } = offer.url;
  return `${scheme}://${address.ip ?? address.hostname ?? offer.hostname}:${address.port}`;
}

/** `slave(1)@127.0.0.1:5051`, as the operator API writes it, as a URL; undefined for anything else. */
export function agentUrlOfPid(pid: string | undefined, scheme: 'http' | 'https' = 'http'): string | undefined {
  const address = pid?.split('@')[1];
  return address === undefined || address === '' ? undefined : `${scheme}://${address}`;
}

/** What the agent knows of its frameworks, executors and their sandboxes. */
export function readAgentState(agentUrl: string, options: ReadOptions = {}): Promise<AgentState> {
  return getJson(agentUrl, '/state', agentStateSchema, options).then((state) => {
    if (state !== undefined) return state;
    throw new MesosAnswerError({ url: agentUrl, call: 'GET /state', problem: 'status 404' });
  });
}

/**
 * The directory of a task's sandbox, as the files endpoints want it; the newest run if the task id ran more than
 * once; undefined when the agent has forgotten it, or does not know it yet.
 */
export function sandboxOf(state: AgentState, frameworkId: string, taskId: string): string | undefined {
  const executors = [...state.frameworks, ...state.completed_frameworks]
    .filter((framework) => framework.id === frameworkId)
    .flatMap((framework) => [...framework.executors, ...framework.completed_executors]);
  const ran = executors.find(
    (executor) =>
      executor.id === taskId ||
      [...executor.tasks, ...executor.queued_tasks, ...executor.completed_tasks].some((task) => task.id === taskId),
  );
  return ran?.directory;
}

/** Lists a directory below a sandbox; undefined when it does not exist. */
export function browseSandbox(
  agentUrl: string,
  directory: string,
  options: ReadOptions = {},
): Promise<FileInfo[] | undefined> {
  return getJson(agentUrl, `/files/browse?path=${encodeURIComponent(directory)}`, fileInfoSchema, options);
}

/**
 * The bytes of a file from `offset` on, at most `length` of them (and never more than 64 KiB: ask again from the end
 * of what came). An empty buffer is the end of the file; undefined: there is no such file.
 */
async function readSandboxPiece(
  agentUrl: string,
  path: string,
  piece: { readonly offset: number; readonly length?: number | undefined },
  options: ReadOptions = {},
): Promise<Buffer | undefined> {
  const query = new URLSearchParams({
    path,
    offset: String(piece.offset),
    length: String(Math.min(piece.length ?? PIECE_BYTES, PIECE_BYTES)),
  });
  // The agent puts the raw bytes of the file into a JSON string, so a piece may begin or end inside a UTF-8
  // character. Read as latin1 every byte is one character and nothing is lost.
  const read = await getJson(agentUrl, `/files/read?${query}`, fileReadSchema, options, 'latin1');
  return read === undefined ? undefined : Buffer.from(read.data, 'latin1');
}

/** A whole file of a sandbox, such as `<sandbox>/junit.xml`; undefined when it does not exist. */
export async function readSandboxFile(
  agentUrl: string,
  path: string,
  options: ReadOptions = {},
): Promise<Buffer | undefined> {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  const pieces: Buffer[] = [];
  for (let offset = 0; ; ) {
    const piece = await readSandboxPiece(agentUrl, path, { offset }, options);
    if (piece === undefined) return undefined;
    if (piece.length === 0) return Buffer.concat(pieces);
    pieces.push(piece);
    offset += piece.length;
    if (offset > maxBytes) {
      throw new MesosAnswerError({ url: agentUrl, call: `read of ${path}`, problem: `more than ${maxBytes} bytes` });
    }
  }
}

async function getJson<T>(
  agentUrl: string,
  path: string,
  schema: z.ZodType<T>,
  options: ReadOptions,
  encoding: 'utf8' | 'latin1' = 'utf8',
): Promise<T | undefined> {
  const call = `GET ${path}`;
  const answer = await callHttp({
    url: new URL(path, agentUrl).toString(),
    call,
    method: 'GET',
    headers: { Accept: 'application/json' },
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    encoding,
  });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) {
    throw new MesosError({ url: answer.url, call, status: answer.status, answer: answer.body });
  }
  try {
    return schema.parse(JSON.parse(answer.body));
  } catch (cause) {
    throw new MesosAnswerError({ url: answer.url, call, problem: String(cause), cause });
  }
}
