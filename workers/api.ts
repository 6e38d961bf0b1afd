/** The API process: `node workers/api.ts`. Ends on SIGTERM and SIGINT, when the answers under way are given. */
import { Client, Connection } from '@temporalio/client';
import { buildServer } from '../api/server.ts';
import { ConfigurationError, loadConfiguration } from './configuration.ts';
import { processLog } from './log.ts';

const CLOSE_MS = 10_000;

async function main(): Promise<void> {
  const logger = processLog('api');
  const configuration = loadConfiguration();
  const { address, namespace } = configuration.temporal;
  // Lazy: without Temporal the API starts all the same, and `/readyz` says what is missing.
  const connection = Connection.lazy({ address });
  const client = new Client({ connection, namespace });
  const server = await buildServer({ client, configuration, logger });

  let closing = false;
  const close = async (signal: NodeJS.Signals) => {
    if (closing) return;
    closing = true;
    logger.info({ signal }, 'the API closes');
    const late = setTimeout(() => {
      logger.error(`answers were still under way after ${CLOSE_MS} ms`);
      process.exit(1);
    }, CLOSE_MS);
    await server.close();
    await connection.close();
    clearTimeout(late);
  };
  process.once('SIGTERM', close);
  process.once('SIGINT', close);

  const { host, port } = splitAddress(configuration.api.listen);
  await server.listen({ host, port });
}

function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

main().catch((error: unknown) => {
  console.error(error instanceof ConfigurationError ? error.message : error);
  process.exitCode = 1;
});
