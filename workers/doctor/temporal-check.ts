import { Connection } from '@temporalio/client';
import type { TemporalConfiguration } from '../../domain/schemas/config.ts';
import { SearchAttribute } from '../../workflows/contract.ts';
import type { Check } from './check.ts';

const TIMEOUT_MS = 8_000;

/** Temporal answers, has the namespace, and knows Slipway's search attributes. */
export function temporalChecks({ address, namespace, ui }: TemporalConfiguration): Check[] {
  const names = Object.values(SearchAttribute).map(({ name }) => name);
  return [
    {
      system: 'Temporal',
      address,
      advice: 'start it, or correct temporal.address and temporal.namespace',
      run: () =>
        withConnection(address, async (connection) => {
          const { serverVersion } = await connection.workflowService.getSystemInfo({});
          await connection.workflowService.describeNamespace({ namespace });
          return `server ${serverVersion}, namespace ${namespace}`;
        }),
    },
    {
      system: 'Temporal search attributes',
      address,
      advice: `register them: ${names.map((name) => `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type Keyword`).join(' && ')}`,
      run: () =>
        withConnection(address, async (connection) => {
          const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
          const missing = names.filter((name) => customAttributes[name] === undefined);
          if (missing.length > 0) throw new Error(`not registered: ${missing.join(', ')}`);
          return names.join(', ');
        }),
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
