import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { acceptedSchema, type Lane, laneListSchema, releaseListSchema } from '../domain/schemas/api.ts';
import { approvalSchema, planSchema, releaseOutcomes, releaseSchema } from '../domain/schemas/release.ts';
import { addAuditCommands } from './audit-commands.ts';
import { type ActInContext, Context, type GlobalOptions, UsageError } from './context.ts';
import { addControlCommands } from './control-commands.ts';
import { formatTime } from './duration.ts';
import { ExitCode } from './exit-codes.ts';
import { addFreezeCommands } from './freeze-commands.ts';
import { type CliIo, widthOf } from './io.ts';
import { addJudgeCommand } from './judge-command.ts';
import { addLaneCommands, driftLines } from './lane-commands.ts';
import { addManifestCommands } from './manifest-commands.ts';
import { type Language, languageOf, MESSAGES } from './messages.ts';
import { renderPlan } from './render-plan.ts';
import { addVetoCommands } from './veto-commands.ts';

/** A command that needs no API; the program that composes the whole adds it. */
export interface LocalCommand {
  readonly name: string;
  readonly description: string;
  /** @param config what `--config` named. @returns the exit code */
  run(config: string | undefined): Promise<number>;
}

/** Declares commands of their own on the program. */
export type AddCommands = (program: Command, act: ActInContext) => void;

export interface MoreCommands {
  readonly local: readonly LocalCommand[];
  readonly addMore: AddCommands;
}

interface OrderOptions {
  readonly ref?: string;
  readonly bundle?: string;
  readonly until?: string;
  readonly configVersion?: number;
  readonly whenBusy?: string;
}

interface WatchFlags {
  readonly watch?: boolean;
  readonly timeout: number;
}

/** The `slipway` command. `end` is told the exit code of the command that ran. */
export function buildProgram(io: CliIo, { local, addMore }: MoreCommands, end: (code: number) => void): Command {
  const program = new Command('slipway')
    .description('Takes a Docker service from a git push to production on Mesos and Marathon.')
    .option('--api <url>', 'address of the API (SLIPWAY_API)')
    .option('--token <token>', 'token for the API (SLIPWAY_TOKEN)')
    .option('--lang <language>', 'en or zh, by default as the terminal is set')
    .addOption(new Option('-o, --output <format>', 'what goes to stdout').choices(['text', 'json']).default('text'))
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .showHelpAfterError('(slipway --help tells more)')
    .addHelpText('after', `\n${exitCodeTable(languageOf(undefined, io.env)).join('\n')}`);

  const inContext: ActInContext = (run) =>
    async function (this: Command, ...args) {
      end(await run(new Context(io, this.optsWithGlobals<GlobalOptions>()), ...args));
    };

  order(program.command('release <service>').description('release a commit, or a bundle that was built before'))
    .option('--key <key>', 'the same key is the same release, however often it is asked for')
    .option('-w, --watch', 'show it until it ends')
    .option('--timeout <seconds>', 'stop watching after so long', wholeNumber, 0)
    .action(
      inContext(async (context, service: string, options: OrderOptions & WatchFlags & { key?: string }) => {
        const key = options.key ?? randomBytes(6).toString('hex');
        const body = orderOf(context, service, options);
        const request = { method: 'POST', body, key } as const;
        const found = await context.api.call('/v1/releases', acceptedSchema.or(releaseSchema), request);
        const name = `${service}/${key}`;
        if (options.watch) return context.watch(name, options.timeout);
        context.print(name, { v: 1, release: name });
        const { say } = context;
        // A key that was used before finds its release, and that may have ended.
        const outcome = 'outcome' in found ? found.outcome : undefined;
        context.tell(outcome === undefined ? say.started(name) : say.hasEnded(name, say.outcomes[outcome]));
        return ExitCode.Ok;
      }),
    );

  program
    .command('status <release>')
    .description('show a release')
    .option('-w, --watch', 'show it until it ends')
    .option('--timeout <seconds>', 'stop watching after so long', wholeNumber, 0)
    .action(
      inContext(async (context, text: string, options: WatchFlags) => {
        const name = context.releaseName(text);
        if (options.watch) return context.watch(name, options.timeout);
        const view = await context.api.call(`/v1/releases/${name}`, releaseSchema);
        context.print(context.tree(view), { v: 1, release: view });
        return ExitCode.Ok;
      }),
    );

  program
    .command('list')
    .description('releases: those that run, then those that ended last')
    .option('--service <service>')
    .addOption(new Option('--outcome <outcome>', 'how they ended').choices([...releaseOutcomes, 'running']))
    .option('--limit <number>', 'at most so many', wholeNumber, 20)
    .action(
      inContext(async (context, options: { service?: string; outcome?: string; limit: number }) => {
        const query = new URLSearchParams({ limit: String(options.limit) });
        if (options.service !== undefined) query.set('service', options.service);
        if (options.outcome !== undefined) query.set('outcome', options.outcome);
        const { releases, more } = await context.api.call(`/v1/releases?${query}`, releaseListSchema);
        const { columns, outcomes } = context.say;
        const rows = releases.map(({ service, key, outcome, stage, startedAt }) => [
          `${service}/${key}`,
          outcomes[outcome ?? 'running'],
          stage ?? '',
          formatTime(startedAt),
        ]);
        const titles = [columns.release, columns.outcome, columns.stage, columns.started];
        if (releases.length === 0) context.tell(context.say.noReleases);
        context.print(releases.length === 0 ? '' : context.table(titles, rows), { v: 1, releases, more });
        if (more) context.tell(context.say.moreReleases);
        return ExitCode.Ok;
      }),
    );

  program
    .command('approve <release>')
    .description('approve the plan that waits')
    .option('--plan-digest <digest>', 'the plan that was looked at; without it the plan is shown and asked about')
    .action(
      inContext(async (context, text: string, options: { planDigest?: string }) => {
        const name = context.releaseName(text);
        const planDigest = options.planDigest ?? (await askForApproval(context, name));
        if (planDigest === undefined) return ExitCode.Rejected;
        const approval = await context.command(name, 'approve', { planDigest }, approvalSchema);
        context.print('', { v: 1, approval });
        context.tell(context.say.approved(name));
        return ExitCode.Ok;
      }),
    );

  const commands = [
    ['reject', 'refuse the plan that waits: the release is undone'],
    ['abort', 'stop a release and undo what it changed'],
    ['rollback', 'go back to the revision before, also after the release has ended'],
  ] as const;
  for (const [verb, description] of commands) {
    const command = program
      .command(`${verb} <release>`)
      .description(description)
      .requiredOption('--reason <reason>', 'why; it is recorded')
      .option('-w, --watch', 'show it until it ends')
      .option('--timeout <seconds>', 'stop watching after so long', wholeNumber, 0);
    if (verb === 'rollback') {
      command
        .option('--environment <environment>', 'where, once the release has ended')
        .option(
          '--to <bundle>',
          'id of the bundle to go back to, once the release has ended; see slipway lanes -o json',
        );
    }
    command.action(
      inContext(
        async (context, text: string, options: WatchFlags & { reason: string; environment?: string; to?: string }) => {
          const { reason, environment, to } = options;
          const body = {
            reason,
            ...(environment === undefined ? {} : { environment }),
            ...(to === undefined ? {} : { to }),
          };
          const accepted = await context.command(context.releaseName(text), verb, body, acceptedSchema);
          const name = accepted.id.replace(/^release\//, '');
          if (options.watch)
            return context.watch(name, options.timeout, verb === 'rollback' ? 'rolled-back' : 'aborted');
          context.print(name, { v: 1, release: name });
          context.tell(context.say.taken(name));
          return ExitCode.Ok;
        },
      ),
    );
  }

  order(program.command('plan <service>').description('show the plan that an order would get; runs nothing')).action(
    inContext(async (context, service: string, options: OrderOptions) => {
      const body = orderOf(context, service, options);
      const plan = await context.api.call('/v1/plans', planSchema, { method: 'POST', body });
      context.print(renderPlan(plan, { width: widthOf(io.stdout), language: context.language }), { v: 1, plan });
      return ExitCode.Ok;
    }),
  );

  program
    .command('lanes [service]')
    .description('what runs where')
    .option('--environment <environment>')
    .action(
      inContext(async (context, service: string | undefined, options: { environment?: string }) => {
        const query = new URLSearchParams();
        if (service !== undefined) query.set('service', service);
        if (options.environment !== undefined) query.set('environment', options.environment);
        const { lanes } = await context.api.call(`/v1/lanes?${query}`, laneListSchema);
        const { columns } = context.say;
        const titles = [
          columns.service,
          columns.environment,
          columns.revision,
          columns.version,
          columns.instances,
          columns.holder,
        ];
        if (lanes.length === 0) context.tell(context.say.nothingRunsYet);
        context.print(lanes.length === 0 ? '' : context.table(titles, lanes.map(laneRow)), { v: 1, lanes });
        for (const line of lanes.flatMap((lane) => driftLines(lane, context.language))) context.tell(line);
        return ExitCode.Ok;
      }),
    );

  program
    .command('exit-codes')
    .description('what the exit codes mean')
    .action(
      inContext(async (context) => {
        context.print(exitCodeTable(context.language), { v: 1, exitCodes: context.say.exitCodes });
        return ExitCode.Ok;
      }),
    );

  for (const { name, description, run } of local) {
    program
      .command(name)
      .description(description)
      .option('-c, --config <file>', 'by default what SLIPWAY_CONFIG names, else slipway.config.yaml')
      .action(async ({ config }: { config?: string }) => end(await run(config)));
  }
  addJudgeCommand(program, inContext);
  addManifestCommands(program, inContext);
  addAuditCommands(program, inContext);
  addControlCommands(program, inContext);
  addFreezeCommands(program, inContext);
  addVetoCommands(program, inContext);
  addLaneCommands(program, inContext);
  addMore(program, inContext);
  return program;
}

/** Shows the plan to a person at a terminal and asks. @returns its digest, or undefined when they said no */
async function askForApproval(context: Context, name: string): Promise<string | undefined> {
  if (context.ask === undefined) throw new UsageError(context.say.approvalNeedsDigest);
  const { plan } = await context.api.call(`/v1/releases/${name}`, releaseSchema);
  if (plan === undefined) throw new UsageError(context.say.nothingToApprove(name));
  for (const line of renderPlan(plan, { width: 120, language: context.language })) context.tell(line);
  const answer = await context.ask(context.say.confirmApproval(plan.digest));
  if (answer.trim().toLowerCase() === 'yes') return plan.digest;
  context.tell(context.say.notConfirmed);
  return undefined;
}

function order(command: Command): Command {
  return command
    .option('--ref <ref>', "branch, tag or commit of the service's repository")
    .option('--bundle <file>', 'a bundle as JSON, such as `slipway status -o json` shows it, built before')
    .option('--until <environment>', 'the last environment of the way')
    .option(
      '--config-version <number>',
      "version in the config centre, 0 for none; by default the bundle's, or the current one where the way ends",
      wholeNumber,
    )
    .addOption(
      new Option('--when-busy <what>', 'while another release holds a lane').choices(['wait', 'refuse', 'supersede']),
    );
}

function orderOf(context: Context, service: string, options: OrderOptions): object {
  const { ref, bundle, until, configVersion, whenBusy } = options;
  if ((ref === undefined) === (bundle === undefined)) throw new UsageError(context.say.needsSource);
  return {
    service,
    ...(ref === undefined ? {} : { ref }),
    ...(bundle === undefined ? {} : { bundle: readJson(bundle) }),
    ...(until === undefined ? {} : { until }),
    ...(configVersion === undefined ? {} : { configVersion }),
    ...(whenBusy === undefined ? {} : { whenBusy }),
  };
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A whole number, not negative. */
function wholeNumber(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('write a whole number.');
  return Number(text);
}

function laneRow({ state, holder }: Lane): string[] {
  const { service, environment, current } = state;
  return [
    service,
    environment,
    current?.revision ?? '-',
    current?.bundle.version ?? '-',
    current === undefined ? '-' : String(current.instances),
    holder?.replace(/^release\//, '') ?? '',
  ];
}

function exitCodeTable(language: Language): string[] {
  return Object.entries(MESSAGES[language].exitCodes).map(([code, meaning]) => `${code.padStart(5)}  ${meaning}`);
}
