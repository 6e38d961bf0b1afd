import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { manifestJsonSchema, parseManifest } from '../domain/schemas/manifest.ts';
import { type ActInContext, UsageError } from './context.ts';
import { ExitCode } from './exit-codes.ts';

/** `slipway manifest`: what needs only the file, and no API. */
export function addManifestCommands(program: Command, act: ActInContext): void {
  const manifest = program.command('manifest').description('check a slipway.yaml, or print its JSON Schema');
  manifest
    .command('check')
    .description('tell every mistake in a manifest, each with its path')
    .argument('[file]', 'which file', 'slipway.yaml')
    .action(
      act(async (context, file: string) => {
        const reading = parseManifest(readText(file));
        if (!reading.ok) {
          throw new UsageError(
            reading.errors
              .map(({ path, message }) => `${file}: ${path === '' ? '' : `${path}: `}${message}`)
              .join('\n'),
          );
        }
        const { service, version } = reading.manifest;
        context.print([context.say.manifestHolds(file, service, version)], { v: 1, manifest: reading.manifest });
        return ExitCode.Ok;
      }),
    );
  manifest
    .command('schema')
    .description('print the JSON Schema of slipway.yaml, for editors')
    .action(
      act(async (context) => {
        const schema = manifestJsonSchema();
        context.print([JSON.stringify(schema, null, 2)], schema);
        return ExitCode.Ok;
      }),
    );
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
