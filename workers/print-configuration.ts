import { stringify } from 'yaml';
import { ConfigurationError, loadConfiguration, maskConfiguration } from './configuration.ts';

/** Where the text goes. */
export interface PrintOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly env: NodeJS.ProcessEnv;
}

/** `slipway config`: the configuration as YAML with its secrets masked, or everything that is wrong. @returns the exit code */
export function printConfiguration({ stdout, stderr, env }: PrintOutput, path?: string): number {
  try {
    stdout.write(stringify(maskConfiguration(loadConfiguration(path, env))));
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    stderr.write(`${error.message}\n`);
    return 1;
  }
}
