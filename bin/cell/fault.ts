import { readFileSync } from 'node:fs';
import { CellDirectory } from '../../cell/directory.ts';
import type { FaultView } from '../../cell/faults/board.ts';
import { FaultClient } from '../../cell/faults/client.ts';
import { type Context, UsageError } from '../../cli/context.ts';
import { ExitCode } from '../../cli/exit-codes.ts';
import { type StateOption, sayOf, stateDirectory } from './state.ts';

/** `slipway cell fault list`. */
export async function runFaultList(context: Context, options: StateOption): Promise<number> {
  const view = await clientOf(context, options).get();
  const rows = faultRows(view);
  const { columns, faultsOff } = sayOf(context);
  if (rows.length === 0) context.tell(faultsOff);
  const titles = [columns.fault, columns.about, columns.matched, columns.hits];
  context.print(rows.length === 0 ? '' : context.table(titles, rows), { v: 1, ...view });
  return ExitCode.Ok;
}

/** `slipway cell fault set`. */
export async function runFaultSet(context: Context, text: string, options: StateOption): Promise<number> {
  const switches = readSwitches(context, text);
  const view = await clientOf(context, options).set(switches);
  context.print('', { v: 1, ...view });
  context.tell(sayOf(context).faultsSet);
  return ExitCode.Ok;
}

/** `slipway cell fault clear`. */
export async function runFaultClear(context: Context, options: StateOption): Promise<number> {
  const view = await clientOf(context, options).clear();
  context.print('', { v: 1, ...view });
  context.tell(sayOf(context).faultsCleared);
  return ExitCode.Ok;
}

function clientOf(context: Context, options: StateOption): FaultClient {
  const directory = new CellDirectory(stateDirectory(options));
  const running = directory.running();
  const say = sayOf(context);
  if (running !== undefined) return new FaultClient(running.marathonUrl);
  throw new UsageError(directory.options() === undefined ? say.none(directory.path) : say.dead(directory.path));
}

/** The cell checks what is in them, and says what is wrong. */
function readSwitches(context: Context, text: string): object {
  try {
    const json: unknown = JSON.parse(text.trimStart().startsWith('{') ? text : readFileSync(text, 'utf8'));
    if (typeof json === 'object' && json !== null) return json;
    throw new Error('it is no object');
  } catch (error) {
    throw new UsageError(sayOf(context).notJson(text, error instanceof Error ? error.message : String(error)));
  }
}

/** A row for each switch that is on: what goes wrong, of what, and how often it has. Pure. */
function faultRows({ faults, seen }: FaultView): string[][] {
  const counted = (kind: 'routes' | 'events' | 'tasks') =>
    faults[kind].map(({ kind: what, ...about }, index) => [
      what,
      `${kind} ${JSON.stringify(about)}`,
      String(seen[kind][index]?.matched ?? 0),
      String(seen[kind][index]?.hits ?? 0),
    ]);
  const plain = (isOn: boolean, what: string, about: string) => (isOn ? [[what, about, '', '']] : []);
  const { offersWithheld: withheld } = faults;
  return [
    ...counted('routes'),
    ...counted('events'),
    ...counted('tasks'),
    ...plain(faults.eventsSilent, 'silent', 'events'),
    ...plain(faults.master === 'away', 'away', 'master'),
    ...plain(faults.marathon === 'away', 'away', 'marathon'),
    ...Object.entries(faults.agents).map(([name, fault]) => [fault, `agent ${name}`, '', '']),
    ...plain(withheld === true, 'withheld', 'offers'),
    ...(Array.isArray(withheld) ? withheld.map((name) => ['withheld', `offers of ${name}`, '', '']) : []),
  ];
}
