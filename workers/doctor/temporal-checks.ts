import { Connection } from '@temporalio/client';
import type { TemporalConfiguration } from '../../domain/schemas/config.ts';
import { SearchAttribute } from '../../workflows/contract.ts';
import { type Check, Wrong } from './check.ts';

const TIMEOUT_MS = 4_000;

/** Temporal answers, has the namespace, and knows Slipway's search attributes; its UI is there. */
export function temporalChecks({ address, namespace, ui }: TemporalConfiguration): Check[] {
  return [
    {
      system: 'Temporal',
      address,
      advice: 'start it, or correct temporal.address and temporal.namespace',
      run: () => withConnection(address, (connection) => askTemporal(connection, namespace)),
    },
    ...(ui === undefined
      ? []
      : [
          {
            system: 'Temporal UI',
            address: ui,
            advice: 'start it, or leave temporal.ui out: it is for links only',
            run: async (signal: AbortSignal) => {
              const response = await fetch(ui, { signal });
              if (response.status >= 400) throw new Error(`status ${response.status}`);
              return `status ${response.status}`;
            },
          },
        ]),
  ];
}

async function askTemporal(connection: Connection, namespace: string): Promise<string> {
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  await connection.workflowService.describeNamespace({ namespace });
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const names = Object.values(SearchAttribute).map(({ name }) => name);
  const missing = names.filter((name) => customAttributes[name] === undefined);
  if (missing.length > 0) {
    const each = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
    throw new Wrong(
      `${serverVersion} answers, but search attributes are missing: ${missing.join(', ')}`,
      `register them: temporal operator search-attribute create --namespace ${namespace} ${each}`,
    );
  }
  return `${serverVersion}, namespace ${namespace} with its search attributes`;
}

async function withConnection<Result>(
  address: string,
  ask: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await Connection.connect({ address, connectTimeout: TIMEOUT_MS });
  try {
    return await connection.withDeadline(Date.now() + TIMEOUT_MS, () => ask(connection));
  } finally {
    await connection.close();
  }
}
