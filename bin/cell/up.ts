import { createServer } from 'node:net';
import Docker from 'dockerode';
import { textOf } from '../../activities/mesos/thrown.ts';
import { agentsOf } from '../../cell/agents-argument.ts';
import { CellDirectory, type KeptOptions } from '../../cell/directory.ts';
import { OtherCell, up } from '../../cell/launcher.ts';
import type { ProfileName } from '../../cell/marathon/profile.ts';
import { SILENT } from '../../cell/mesos/log.ts';
import { serveCell } from '../../cell/serve.ts';
import { type Context, UsageError } from '../../cli/context.ts';
import { ExitCode } from '../../cli/exit-codes.ts';
import { freePort } from '../../local/platform/ports.ts';
import { type StateOption, sayOf, stateDirectory } from './state.ts';
import { printCell } from './status.ts';

/** What is not said is as it was the last time in the same directory, else as by default. */
export interface UpOptions extends StateOption {
  readonly agents?: string;
  readonly profile?: ProfileName;
  readonly port?: number;
  readonly mesosPort?: number;
  readonly docker?: string;
  readonly cpus?: string;
  readonly mem?: string;
  readonly ports?: string;
  readonly isolation?: 'posix' | 'cgroups';
  readonly faults?: boolean;
  readonly foreground?: boolean;
}

const DEFAULT_SOCKET = '/var/run/docker.sock';
const ENGINE_ANSWERS_WITHIN_MS = 3_000;
const HOST = '127.0.0.1';

/** `slipway cell up`. @returns the exit code */
export async function runUp(context: Context, options: UpOptions): Promise<number> {
  const say = sayOf(context);
  const directory = new CellDirectory(stateDirectory(options));
  const known = directory.options();
  const isUp = directory.process() !== undefined;
  const portOf = (what: string, flag: string, asked: number, before: number | undefined) =>
    isUp && (asked === 0 || asked === before) ? (before ?? asked) : takePort(context, { what, flag, asked });
  const wanted: KeptOptions = {
    mesos: {
      agents: [...agentsFor(options, known?.mesos.agents)],
      host: HOST,
      isolation: options.isolation ?? known?.mesos.isolation ?? 'posix',
      port: await portOf('Mesos', '--mesos-port', options.mesosPort ?? known?.mesos.port ?? 5050, known?.mesos.port),
      ...(known !== undefined && options.docker === undefined
        ? dockerOption(known.mesos.docker?.socketPath)
        : dockerOption(await dockerSocket(context, options.docker))),
    },
    marathon: {
      port: await portOf('Marathon', '--port', options.port ?? known?.marathon.port ?? 8080, known?.marathon.port),
      profile: options.profile ?? known?.marathon.profile ?? '1.7',
    },
    faults: options.faults ?? known?.faults ?? false,
  };
  if (wanted.mesos.docker === undefined && options.docker !== 'none') context.tell(say.noEngine);
  try {
    if (options.foreground) return await stay(context, directory, wanted);
    const { running, already } = await up(directory.path, wanted);
    context.tell(already ? say.already(directory.path, running.pid) : say.up(directory.path, running.pid));
    await printCell(context, directory, running);
    return ExitCode.Ok;
  } catch (error) {
    if (error instanceof OtherCell) throw new UsageError(say.otherOptions(error.message), ExitCode.Conflict);
    throw error;
  }
}

/** The cell in this very process, until somebody interrupts it. */
async function stay(context: Context, directory: CellDirectory, wanted: KeptOptions): Promise<number> {
  const say = sayOf(context);
  const other = directory.process();
  if (other !== undefined) throw new OtherCell(`the cell in ${directory.path} runs as pid ${other.pid}`);
  directory.writeOptions(wanted);
  const terminated = new AbortController();
  process.once('SIGTERM', () => terminated.abort());
  const stop = AbortSignal.any([context.interrupted, terminated.signal]);
  await serveCell(directory.path, SILENT, stop, (running) => {
    context.tell(say.foreground(directory.path));
    printCell(context, directory, running).catch((error: unknown) => context.tell(textOf(error)));
  });
  context.tell(say.ended(directory.path));
  return ExitCode.Ok;
}

function agentsFor(
  options: UpOptions,
  known: KeptOptions['mesos']['agents'] | undefined,
): KeptOptions['mesos']['agents'] {
  const { agents = '', cpus, mem, ports } = options;
  const said = [options.agents, cpus, mem, ports].some((argument) => argument !== undefined);
  if (known !== undefined && !said) return known;
  try {
    return agentsOf({ agents, cpus, mem, ports });
  } catch (error) {
    // What is wrong with an argument is a mistake in the command.
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The port as asked, if it is free; 0 becomes one that stays. */
async function takePort(
  context: Context,
  { what, flag, asked }: { readonly what: string; readonly flag: string; readonly asked: number },
): Promise<number> {
  if (asked === 0) return freePort();
  if (await isFree(asked)) return asked;
  throw new UsageError(sayOf(context).taken(what, asked, flag));
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });
}

/** The engine that was named, which must answer; else the machine's own, if one does. */
async function dockerSocket(context: Context, asked: string | undefined): Promise<string | undefined> {
  const say = sayOf(context);
  if (asked === 'none') return undefined;
  if (asked !== undefined) {
    if (await answers(asked)) return asked;
    throw new UsageError(say.noEngineAt(asked));
  }
  const address = process.env['DOCKER_HOST'] || `unix://${DEFAULT_SOCKET}`;
  if (!address.startsWith('unix://')) throw new UsageError(say.dockerIsRemote(address));
  const path = address.slice('unix://'.length);
  return (await answers(path)) ? path : undefined;
}

async function answers(socketPath: string): Promise<boolean> {
  return new Docker({ socketPath, timeout: ENGINE_ANSWERS_WITHIN_MS }).ping().then(
    () => true,
    () => false,
  );
}

function dockerOption(socketPath: string | undefined): Pick<KeptOptions['mesos'], 'docker'> {
  return socketPath === undefined ? {} : { docker: { socketPath } };
}
