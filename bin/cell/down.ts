import { resolve } from 'node:path';
import { down } from '../../cell/launcher.ts';
import type { Context } from '../../cli/context.ts';
import { ExitCode } from '../../cli/exit-codes.ts';
import { type StateOption, sayOf, stateDirectory } from './state.ts';

export interface DownOptions extends StateOption {
  readonly keep?: boolean;
}

/** `slipway cell down`. @returns the exit code: 0 also when there was nothing to end */
export async function runDown(context: Context, options: DownOptions): Promise<number> {
  const directory = resolve(stateDirectory(options));
  const say = sayOf(context);
  const keep = options.keep ?? false;
  const found = await down(directory, { keep });
  context.print('', { v: 1, found, directory, kept: keep && found !== 'none' });
  if (found === 'none') context.tell(say.none(directory));
  else if (keep) context.tell(say.keptFor(directory));
  else context.tell(found === 'running' ? say.down(directory) : say.cleared(directory));
  return ExitCode.Ok;
}
