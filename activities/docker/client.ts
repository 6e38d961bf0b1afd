/** What Slipway asks of a Docker engine when it builds: make an image, push it. */
import { createInterface } from 'node:readline';
import { ApplicationFailure } from '@temporalio/common';
import Docker from 'dockerode';
import { z } from 'zod';
import { FailureType } from '../../domain/failures.ts';
import { packContext } from './context.ts';

export interface BuildImageOptions {
  /** Directory of the build context. */
  readonly context: string;
  /** Path of the Dockerfile inside the context. */
  readonly dockerfile: string;
  /** Name and tag of the image, such as `127.0.0.1:5000/sample:build-1`. */
  readonly name: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Time of every file, seconds since 1970. */
  readonly time: number;
  readonly signal: AbortSignal;
  /** Gets what the engine says, line by line or in parts. */
  readonly onLog: (text: string) => void;
}

export interface PushImageOptions {
  /** Registry and repository, such as `127.0.0.1:5000/sample`. */
  readonly repository: string;
  readonly tag: string;
  readonly credentials?: { readonly username: string; readonly password: string } | undefined;
  readonly signal: AbortSignal;
  readonly onLog: (text: string) => void;
}

/** One line of the stream with which the engine answers. */
const progressSchema = z.looseObject({
  stream: z.string().optional(),
  status: z.string().optional(),
  id: z.string().optional(),
  error: z.string().optional(),
  errorDetail: z.looseObject({ code: z.number().optional(), message: z.string().optional() }).optional(),
});

/** The engine's error, as it said it in its stream. `code` is the exit code of a command of the Dockerfile. */
export class DockerSaid extends Error {
  readonly code: number | undefined;

  constructor(message: string, code: number | undefined) {
    super(message);
    this.name = 'DockerSaid';
    this.code = code;
  }

  /** True when the engine could not reach or use a registry just now; false when the input is at fault. */
  get mayPass(): boolean {
    if (this.code !== undefined && this.code !== 0) return false;
    return /connection refused|connection reset|timeout|timed out|no such host|\bEOF\b|HTTP status:? 5\d\d|HTTP 405|TLS handshake|no space left/i.test(
      this.message,
    );
  }
}

/** Talks to one engine. Calls reject with `DockerSaid`, or with `SystemUnavailable` when the engine does not answer. */
export class DockerClient {
  readonly #socket: string;
  readonly #docker: Docker;

  constructor(socket: string) {
    this.#socket = socket;
    this.#docker = new Docker({ socketPath: socket });
  }

  /** Builds an image with the classic builder; its bases are looked for in their registry each time. */
  async buildImage(options: BuildImageOptions): Promise<void> {
    const { context, dockerfile, name, buildArgs, labels, time, signal } = options;
    const tar = await packContext({ directory: context, dockerfile, time, signal });
    const stream = await this.#answer('build', signal, () =>
      this.#docker.buildImage(tar, {
        dockerfile,
        t: name,
        buildargs: { ...buildArgs },
        labels: { ...labels },
        pull: true,
        rm: true,
        forcerm: true,
        // As every container of Slipway: no bridge, so that an engine without one can build too.
        networkmode: 'host',
        version: '1',
        abortSignal: signal,
      }),
    );
    await this.#read('build', stream, options);
  }

  /** Pushes a tag that the engine has. */
  async pushImage(options: PushImageOptions): Promise<void> {
    const { repository, tag, credentials, signal } = options;
    const image = this.#docker.getImage(repository);
    // Always sent: engines up to 20.10 refuse a push without the header, even where the registry lets everybody in.
    const authconfig = { username: '', password: '', ...credentials, serveraddress: repository.split('/', 1)[0] ?? '' };
    const stream = await this.#answer('push', signal, () => image.push({ tag, authconfig, abortSignal: signal }));
    await this.#read('push', stream, options);
  }

  /** Turns an answer that is no stream into a failure: 5xx and silence may pass, 4xx is the engine's last word. */
  async #answer<T>(call: string, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      signal.throwIfAborted();
      const status = statusOf(error);
      if (status !== undefined && status < 500) throw new DockerSaid(messageOf(error), undefined);
      throw this.#unavailable(call, error);
    }
  }

  async #read(
    call: string,
    stream: NodeJS.ReadableStream,
    options: { readonly signal: AbortSignal; readonly onLog: (text: string) => void },
  ): Promise<void> {
    try {
      for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
        if (line.trim() === '') continue;
        const progress = progressSchema.parse(JSON.parse(line));
        const said = progress.stream ?? statusLine(progress);
        if (said !== undefined) options.onLog(said);
        if (progress.error !== undefined) throw new DockerSaid(progress.error, progress.errorDetail?.code);
      }
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof DockerSaid) throw error;
      throw this.#unavailable(call, error);
    }
    options.signal.throwIfAborted();
  }

  #unavailable(call: string, error: unknown): ApplicationFailure {
    return ApplicationFailure.create({
      type: FailureType.SystemUnavailable,
      message: `Docker engine at ${this.#socket}: ${call} failed: ${messageOf(error)}; check that it runs and that this user may use it`,
      ...(error instanceof Error ? { cause: error } : {}),
    });
  }
}

/** What the engine says of one layer; progress bars are left out, they come many times a second. */
function statusLine(progress: z.infer<typeof progressSchema>): string | undefined {
  if (progress.status === undefined || 'progress' in progress) return undefined;
  return `${progress.id === undefined ? '' : `${progress.id}: `}${progress.status}\n`;
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
