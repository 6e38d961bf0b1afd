/**
 * mesos-go v0.0.11, unmodified, on either kind of Mesos, in protobuf (its default) and in JSON: `mesos-go/` is a
 * framework and an operator on it, which writes a line for each thing that came true.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type MesosCell, startMesos } from '../../../cell/mesos/start.ts';
import { freePort } from '../../../local/platform/ports.ts';
import { runCommand } from '../../../local/toolbox/run-command.ts';
import { describeOnEachMesos } from '../../mesos-rig/describe-on-each-mesos.ts';
import { mesosGo } from './clients.ts';
import { describeWithClient } from './describe-with-client.ts';

jest.setTimeout(60_000);

const LINES = [
  'subscribed 15 1.11.0 127.0.0.1',
  'heartbeat',
  'watching: SUBSCRIBED 1 agent, HEARTBEAT',
  'offered a 4 fat ci',
  'update sleep.1 TASK_STARTING SOURCE_EXECUTOR 16 bytes of uuid',
  'update sleep.1 TASK_RUNNING SOURCE_EXECUTOR 16 bytes of uuid',
  'healthy true',
  'version 1.11.0',
  'agent a true fat',
  'framework mesos-go true 3600',
  'task sleep.1 TASK_RUNNING 0.5 2 statuses',
  'state 1 task',
  'reconciled sleep.1 TASK_RUNNING REASON_RECONCILIATION',
  'reconciled ghost TASK_UNKNOWN REASON_RECONCILIATION',
  'reconciled sleep.1 TASK_RUNNING REASON_RECONCILIATION',
  'update sleep.1 TASK_KILLED SOURCE_EXECUTOR 16 bytes of uuid',
  'offered again a true',
  'refused: malformed request: No framework found with specified ID',
  'torn down',
  'watched: [TASK_ADDED TASK_STARTING TASK_RUNNING TASK_KILLED FRAMEWORK_REMOVED]',
];

await describeWithClient('mesos-go', mesosGo, (command) => {
  const run = async (masterUrl: string, encoding: string): Promise<readonly string[]> => {
    const { stdout } = await runCommand(command.file, [masterUrl, encoding], { timeoutMs: 60_000 });
    return stdout.trim().split('\n');
  };

  describeOnEachMesos('on a Mesos', { agents: [{ name: 'a', attributes: 'env:fat' }] }, (under) => {
    for (const encoding of ['protobuf', 'json']) {
      under.it(`lives the life of a framework in ${encoding}`, async () => {
        expect(await run(under.mesos.masterUrl, encoding)).toEqual(LINES);
      });
    }
  });

  describe('where records are cut and joined anywhere', () => {
    let cell: MesosCell;
    let stateDir: string;
    beforeAll(async () => {
      stateDir = mkdtempSync(join(tmpdir(), 'slipway-cell-'));
      const port = await freePort();
      cell = await startMesos({
        stateDir,
        allocationIntervalMs: 50,
        stopGraceMs: 200,
        streamCutSeed: 5,
        agents: [{ name: 'a', attributes: 'env:fat', cpus: 4, mem: 4096, portRange: [port, port] }],
      });
    });
    afterAll(async () => {
      await cell.stop();
      rmSync(stateDir, { recursive: true, force: true });
    });

    it.each(['protobuf', 'json'])('sees the same in %s', async (encoding) => {
      expect(await run(cell.masterUrl, encoding)).toEqual(LINES);
    });
  });
});
