/** `slipway cell`: the embedded Mesos and Marathon alone, without the rest of the platform. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ActInContext } from '../../cli/context.ts';
import type { DownOptions } from './down.ts';
import type { StateOption } from './state.ts';
import type { UpOptions } from './up.ts';

/** Declares the commands; what they do is loaded only when one is asked for. */
export function addCellCommands(program: Command, act: ActInContext): void {
  const cell = program.command('cell').description('a Mesos and a Marathon on this machine; needs no API');
  const common = (command: Command) =>
    command
      .option('--state <dir>', 'where it keeps everything (XDG_STATE_HOME/slipway/cell)')
      .option('--json', 'the same as -o json');

  common(cell.command('up'))
    .description(
      'start it, or take up one that was killed; returns when both answer; what is not said is as the last time',
    )
    .option('--agents <attributes>', 'commas between agents, semicolons within one: env:fat;role:ci,env:prod')
    .addOption(new Option('--profile <version>', "Marathon's dialect, by default 1.7").choices(['1.7', '1.11']))
    .option('--port <port>', "Marathon's, by default 8080; 0: any that is free", port)
    .option('--mesos-port <port>', "the Mesos master's, by default 5050; 0: any that is free", port)
    .option('--docker <socket>', "path of the engine's socket, or none; by default the one that answers")
    .option('--cpus <number>', 'of each agent, or of all alike: 4,2')
    .option('--mem <MiB>', 'of each agent, or of all alike')
    .option('--ports <ranges>', 'task ports of each agent: 31000-31199,31200-31399')
    .addOption(
      new Option('--isolation <how>', 'limits of command tasks: posix (none, the default) or cgroups').choices([
        'posix',
        'cgroups',
      ]),
    )
    .option('--faults', 'open the fault switches: slipway cell fault')
    .option('--foreground', 'stay, and end its tasks on Ctrl-C')
    .action(act(async (context, options: UpOptions) => (await import('./up.ts')).runUp(context, options)));

  common(cell.command('status'))
    .description('where it answers, and what runs on it')
    .action(act(async (context, options: StateOption) => (await import('./status.ts')).runStatus(context, options)));

  common(cell.command('down'))
    .description('end it with every container, process and record; also after a kill')
    .option('--keep', 'keep its records: the next up starts its apps again')
    .action(act(async (context, options: DownOptions) => (await import('./down.ts')).runDown(context, options)));

  const fault = cell.command('fault').description('make things go wrong; needs a cell that is up with --faults');
  common(fault.command('list', { isDefault: true }))
    .description('the switches that are on, and what they have hit')
    .action(act(async (context, options: StateOption) => (await import('./fault.ts')).runFaultList(context, options)));
  common(fault.command('set <switches>'))
    .description('JSON, or a file of it: all that is to go wrong; what is not said is off')
    .action(
      act(async (context, switches: string, options: StateOption) =>
        (await import('./fault.ts')).runFaultSet(context, switches, options),
      ),
    );
  common(fault.command('clear'))
    .description('turn all of them off')
    .action(act(async (context, options: StateOption) => (await import('./fault.ts')).runFaultClear(context, options)));
}

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('write a port.');
  return Number(text);
}
