#!/usr/bin/env node
/** The `slipway` command: what needs no API runs here, everything else talks to it. */
import { createInterface } from 'node:readline/promises';
import type { CliIo } from '../cli/io.ts';
import { runCli } from '../cli/main.ts';
import type { LocalCommand } from '../cli/program.ts';
import { addCellCommands } from './cell/commands.ts';

const INTERRUPTED = 130;

const interruption = new AbortController();
process.on('SIGINT', () => {
  // The second time somebody means it.
  if (interruption.signal.aborted) process.exit(INTERRUPTED);
  interruption.abort();
});

const io: CliIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  interrupted: interruption.signal,
  ask: process.stdin.isTTY && process.stderr.isTTY ? ask : undefined,
};

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question, { signal: interruption.signal });
  } finally {
    terminal.close();
  }
}

// Loaded only when asked for: the systems' clients take their time.
const local: readonly LocalCommand[] = [
  {
    name: 'doctor',
    description: 'check that every configured system answers; needs no API',
    run: async (config) => (await import('../workers/doctor.ts')).runDoctor(io, config),
  },
  {
    name: 'config',
    description: 'print the configuration as it was understood, secrets masked; needs no API',
    run: async (config) => (await import('../workers/print-configuration.ts')).printConfiguration(io, config),
  },
];

process.exitCode = await runCli(process.argv.slice(2), io, local, addCellCommands);
