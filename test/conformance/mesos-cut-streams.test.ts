/**
 * Streams whose records are cut and joined anywhere: clients put them together again (assertion 60). The client of
 * production, one that speaks protobuf, and an operator's see the same as they do when each record comes whole.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RecordDecoder } from '../../activities/mesos/recordio.ts';
import { type MesosCell, startMesos } from '../../cell/mesos/start.ts';
import { freePortBlock } from '../../local/platform/ports.ts';
import { scalar, TestFramework } from '../integration/mesos-framework.ts';
import { until } from '../integration/mesos-until.ts';
import { ProtobufFramework, watchMaster } from './protobuf-caller.ts';

jest.setTimeout(120_000);

/** Letters of two, three and four bytes: a cut may go through one. */
const RACK = 'größe–𝄞'.repeat(20);

let cell: MesosCell;
let stateDir: string;

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'slipway-cell-'));
  const first = await freePortBlock(2);
  const agent = { cpus: 4, mem: 4096, attributes: `rack:${RACK}` };
  cell = await startMesos({
    stateDir,
    allocationIntervalMs: 20,
    stopGraceMs: 200,
    streamCutSeed: 3,
    agents: [
      { name: 'a', portRange: [first, first], ...agent },
      { name: 'b', portRange: [first + 1, first + 1], ...agent },
    ],
  });
});
afterAll(async () => {
  await cell.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

/** What comes after SUBSCRIBE in JSON, chunk by chunk, until as many records are there. */
function readChunks(
  records: number,
): Promise<{ readonly chunks: readonly Buffer[]; readonly decoded: readonly string[] }> {
  const [chunks, decoder, decoded] = [[] as Buffer[], new RecordDecoder(), [] as string[]];
  return new Promise((resolve, reject) => {
    const call = request(
      `${cell.masterUrl}/api/v1/scheduler`,
      { method: 'POST', headers: { 'Content-Type': 'application/json' } },
      (response) => {
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          decoded.push(...decoder.push(chunk).map(String));
          if (decoded.length < records) return;
          resolve({ chunks, decoded });
          call.destroy();
        });
        response.on('error', () => undefined);
      },
    );
    call.on('error', reject);
    call.end(JSON.stringify({ type: 'SUBSCRIBE', subscribe: { framework_info: { user: 'root', name: 'raw' } } }));
  });
}

describe('a cut stream', () => {
  it('is really cut: chunks begin and end anywhere', async () => {
    const { chunks, decoded } = await readChunks(3);
    expect(decoded.map((text) => JSON.parse(text).type)).toEqual(['SUBSCRIBED', 'HEARTBEAT', 'OFFERS']);
    expect(chunks.length).toBeGreaterThan(3);
    expect(chunks.filter((chunk) => !/^\d+\n/.test(chunk.toString('latin1'))).length).toBeGreaterThan(3);
  });

  it('is put together by the client of production, through the life of twenty tasks', async () => {
    const framework = await new TestFramework(cell.masterUrl).connected();
    const ids = Array.from({ length: 20 }, (_, index) => `json.${index}`);
    for (const id of ids) {
      await framework.launch('a', { task_id: { value: id }, command: { value: 'true' } });
    }
    for (const id of ids) await framework.state(id, 'TASK_FINISHED');
    const told = (id: string) =>
      framework.updates.filter(({ task_id }) => task_id.value === id).map(({ state }) => state);
    expect(ids.map(told)).toEqual(ids.map(() => ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']));
    const racks = framework.events.flatMap((event) => (event.type === 'OFFERS' ? event.offers.offers : []));
    expect(new Set(racks.map(({ attributes }) => attributes[0]?.text?.value))).toEqual(new Set([RACK]));
    await framework.client.teardown();
    expect(await framework.ended()).toBeUndefined();
  });

  it('is put together by a client that speaks protobuf, and by an operator', async () => {
    const watched = await watchMaster(cell.masterUrl);
    const framework = await ProtobufFramework.subscribe(cell.masterUrl);
    const { offers } = await framework.stream.event('OFFERS');
    const [offer] = (offers as { readonly offers: readonly { readonly id: object; readonly agent_id: object }[] })
      .offers;
    const task = {
      name: 'protobuf',
      task_id: { value: 'protobuf' },
      agent_id: offer?.agent_id,
      command: { value: 'sleep 300' },
      resources: [scalar('cpus', 0.1), scalar('mem', 32)],
    };
    const operations = [{ type: 'LAUNCH', launch: { task_infos: [task] } }];
    expect(await framework.call('ACCEPT', { accept: { offer_ids: [offer?.id], operations } })).toBe('202');
    await watched.event('TASK_UPDATED');
    await framework.stream.event('UPDATE');
    expect(await framework.call('TEARDOWN')).toBe('202');
    await until('the stream ends', 30_000, () => framework.stream.ended);
    await watched.event('FRAMEWORK_REMOVED');
    watched.close();
    expect(framework.stream.events.slice(0, 3).map(({ type }) => type)).toEqual(['SUBSCRIBED', 'HEARTBEAT', 'OFFERS']);
  });
});
