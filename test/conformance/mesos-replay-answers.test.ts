/**
 * What a real Mesos 1.11.0 answered while one task ran and when its agent was marked gone, played again on the embedded
 * one: status, body, values. What may differ is in mesos/known-differences.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type MesosCell, startMesos } from '../../cell/mesos/start.ts';
import { scalar, TestFramework } from '../integration/mesos-framework.ts';
import { until } from '../integration/mesos-until.ts';
import { operatorCall } from '../mesos-rig/operator-call.ts';
import { type RawStream, subscribeRaw } from '../mesos-rig/raw-stream.ts';
import { Comparison, record } from './mesos/replay.ts';

const CALLS = record<{ readonly call: { readonly type: string }; readonly status: number; readonly body: unknown }>(
  'operator-calls',
);
const ENDPOINTS = record<{
  readonly request: { readonly path: string };
  readonly response: { readonly status: number; readonly body: unknown };
}>('state-endpoints');
type GoneStep =
  | { readonly call: string; readonly res: readonly [number, unknown] }
  | { readonly reconcile: readonly unknown[] }
  | { readonly type: string };
const GONE = record<GoneStep>('mark-agent-gone');

let cell: MesosCell;
let stateDir: string;
let holder: RawStream;
let framework: TestFramework;
const comparisons = {
  calls: new Comparison('operator-calls'),
  endpoints: new Comparison('state-endpoints'),
  gone: new Comparison('mark-agent-gone'),
};

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'slipway-replay-'));
  cell = await startMesos({
    stateDir,
    stopGraceMs: 200,
    agents: [
      {
        name: 'localhost',
        attributes: 'env:fat;rack:r1;num:3.5',
        cpus: 4,
        mem: 4096,
        portRange: [31000, 32000],
      },
    ],
  });
  holder = await subscribeRaw(cell.masterUrl, { name: 'holder', hostname: 'holder-host' });
  await until('the holder holds', 30_000, () => holder.events.some(({ type }) => type === 'OFFERS'));
  const id = holder.events.find(({ type }) => type === 'SUBSCRIBED')?.['subscribed'] as { framework_id: object };
  const headers = {
    'Content-Type': 'application/json',
    'Mesos-Stream-Id': String(holder.headers['mesos-stream-id']),
  };
  const offered = holder.events.find(({ type }) => type === 'OFFERS')?.['offers'] as { offers: { id: object }[] };
  for (const call of [
    { type: 'SUPPRESS' },
    { type: 'DECLINE', decline: { offer_ids: offered.offers.map((offer) => offer.id) } },
  ]) {
    const body = JSON.stringify({ framework_id: id.framework_id, ...call });
    await fetch(`${cell.masterUrl}/api/v1/scheduler`, { method: 'POST', headers, body });
  }
  framework = await new TestFramework(cell.masterUrl, {
    name: 'ci',
    roles: ['ci'],
    hostname: 'ci.example',
    webui_url: 'http://ci.example/',
    labels: { labels: [{ key: 'team', value: 'x' }] },
    capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
  }).connected();
  await framework.launch('localhost', {
    name: 'web',
    task_id: { value: 'web.1' },
    command: { value: 'sleep 600' },
    resources: [
      scalar('cpus', 0.5),
      scalar('mem', 64),
      { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31005, end: 31005 }] } },
    ],
    labels: { labels: [{ key: 'consul', value: 'web' }] },
    discovery: {
      visibility: 'FRAMEWORK',
      name: 'web',
      ports: { ports: [{ number: 31005, name: 'http', protocol: 'tcp' }] },
    },
  });
  await framework.state('web.1', 'TASK_RUNNING');
  await until('the rest is on offer again', 30_000, () => framework.offers.size === 1);
});
afterAll(async () => {
  holder.close();
  await framework.client.teardown();
  await framework.ended();
  await cell.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

describe('operator calls', () => {
  it.each(CALLS.map((each) => [each.call.type, each] as const))('%s', async (_type, { call, status, body }) => {
    const answer = await operatorCall(cell.masterUrl, call);
    expect(answer.status).toBe(status);
    expect(comparisons.calls.unknown(body, answer.body)).toEqual([]);
  });

  it('need every known difference', () => expect(comparisons.calls.idle).toEqual([]));
});

describe('state endpoints', () => {
  it.each(ENDPOINTS.map((each) => [each.request.path, each] as const))('%s', async (path, { response }) => {
    const base = path.startsWith('/slave(1)') ? cell.agents[0]?.url : cell.masterUrl;
    const id = cell.agents[0]?.id ?? '';
    const asked = path.replace(/[0-9a-f-]{36}-S0/, id).replace(/[0-9a-f-]{36}-0001/, framework.id);
    const answer = await fetch(base + asked, { redirect: 'manual' });
    expect(answer.status).toBe(response.status);
    const text = await answer.text();
    const isJson = answer.headers.get('content-type') === 'application/json';
    expect(comparisons.endpoints.unknown(response.body, isJson ? JSON.parse(text) : text)).toEqual([]);
  });

  it('need every known difference', () => expect(comparisons.endpoints.idle).toEqual([]));

  it('are called back as JavaScript', async () => {
    const answer = await fetch(`${cell.masterUrl}/version?jsonp=cb`);
    expect(answer.headers.get('content-type')).toBe('text/javascript');
    expect(await answer.text()).toMatch(/^cb\(\{.*\}\);$/);
  });
});

describe('an agent that is marked gone', () => {
  it('is told as recorded, step by step', async () => {
    const id = { value: cell.agents[0]?.id ?? '' };
    let seen = framework.events.findIndex((event) => event.type === 'UPDATE');
    let reconciled = 0;
    for (const [index, step] of GONE.entries()) {
      if ('reconcile' in step) {
        await framework.client.reconcile([
          { taskId: { value: 'web.1' }, agentId: id },
          { taskId: { value: 'other' }, agentId: id },
        ]);
        for (const expected of step.reconcile) {
          const event = await until('an answer', 30_000, () => framework.events[seen]);
          seen += 1;
          reconciled += 1;
          expect(comparisons.gone.unknown(expected, event)).toEqual([]);
        }
      } else if ('call' in step) {
        const type = step.call.replace(' again', '');
        const answer = await operatorCall(cell.masterUrl, { type, mark_agent_gone: { agent_id: id } });
        expect([index, answer.status]).toEqual([index, step.res[0]]);
        expect(comparisons.gone.unknown(step.res[1], answer.body)).toEqual([]);
      } else {
        const next = () => framework.events.findIndex((event, at) => at >= seen && event.type !== 'OFFERS');
        const at = await until(step.type, 30_000, () => (next() === -1 ? undefined : { at: next() }));
        seen = at.at + 1;
        expect(comparisons.gone.unknown(step, framework.events[at.at])).toEqual([]);
      }
    }
    expect(reconciled).toBe(2);
    expect(comparisons.gone.idle).toEqual([]);
  });
});
