import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MarathonClient } from '../../../activities/marathon/client.ts';
import { startMarathon } from '../../../cell/marathon/marathon.ts';
import type { CellOptions } from '../../../cell/mesos/options.ts';
import { startMesos } from '../../../cell/mesos/start.ts';
import { freePortBlock } from '../../../local/platform/ports.ts';
import { until } from '../../integration/mesos-until.ts';

/** The embedded Mesos and Marathon as anybody starts them: nothing is set for a client's sake. */
export interface PlainCell {
  readonly mesosUrl: string;
  readonly marathonUrl: string;
  /** The product's own client, to look at what others did. */
  readonly client: MarathonClient;
  stop(): Promise<void>;
}

const PORTS = 40;

/**
 * Two agents with command tasks and a Marathon of the default profile.
 * @param mesosOptions for clients that want what a Mesos of today does not do by itself
 */
export async function startPlainCell(mesosOptions: Pick<CellOptions, 'jsonAliases'> = {}): Promise<PlainCell> {
  const stateDir = mkdtempSync(join(tmpdir(), 'client-cell-'));
  const agent = async (name: string, attributes: string) => {
    const first = await freePortBlock(PORTS);
    return { name, attributes, cpus: 4, mem: 4096, portRange: [first, first + PORTS - 1] as [number, number] };
  };
  const mesos = await startMesos({
    stateDir: join(stateDir, 'mesos'),
    agents: [await agent('agent-1', 'env:fat;rack:r1'), await agent('agent-2', 'env:prod;rack:r2')],
    stopGraceMs: 500,
    ...mesosOptions,
  });
  const marathon = await startMarathon({
    host: '127.0.0.1',
    port: 0,
    mesosMaster: mesos.masterUrl,
    stateDir: join(stateDir, 'marathon'),
  });
  const client = new MarathonClient({ url: marathon.url });
  await until('Marathon is registered with Mesos', 60_000, async () => (await client.info()).frameworkId);
  return {
    mesosUrl: mesos.masterUrl,
    marathonUrl: marathon.url,
    client,
    stop: async () => {
      await marathon.stop();
      await mesos.stop();
      rmSync(stateDir, { recursive: true });
    },
  };
}
