/**
 * What dashboards and clients read: every field that a real Mesos 1.11.0 showed with one running task is in the
 * cell's answer too, with the same type. `mesos/shapes-1.11.0.json` holds the recorded paths, `[]` for a member of a list.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type MesosCell, startMesos } from '../../cell/mesos/start.ts';
import { scalar, TestFramework } from '../integration/mesos-framework.ts';
import { until } from '../integration/mesos-until.ts';

const shapes: { readonly state: Record<string, string[]>; readonly operator: Record<string, string[]> } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'mesos/shapes-1.11.0.json'), 'utf8'),
);

/** `pid` and `role` are those of the recording's second framework, an old driver's; the cell does not measure containers. */
const NOT_IN_THE_CELL = /^\.frameworks\[\]\.(pid|role):|\.statistics\./;

let cell: MesosCell;
let stateDir: string;

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'slipway-cell-'));
  cell = await startMesos({
    stateDir,
    allocationIntervalMs: 50,
    agents: [{ name: 'agent-1', attributes: 'env:fat;rack:r1;num:3.5', cpus: 4, mem: 4096, portRange: [31410, 31499] }],
  });
  const info = {
    name: 'ci',
    roles: ['ci'],
    hostname: 'ci.example',
    webui_url: 'http://ci.example/',
    labels: { labels: [{ key: 'team', value: 'x' }] },
  };
  const framework = await new TestFramework(cell.masterUrl, info).connected();
  const ports = { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31415, end: 31415 }] } } as const;
  await framework.launch('agent-1', {
    task_id: { value: 'web.1' },
    command: { value: 'sleep 600' },
    resources: [scalar('cpus', 0.5), scalar('mem', 64), ports],
    labels: { labels: [{ key: 'consul', value: 'web' }] },
    discovery: {
      visibility: 'FRAMEWORK',
      name: 'web',
      ports: { ports: [{ number: 31415, name: 'http', protocol: 'tcp' }] },
    },
  });
  await framework.state('web.1', 'TASK_RUNNING');
  await until('the rest is on offer again', 10_000, () => framework.offers.size === 1);
});
afterAll(async () => {
  await cell.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

function pathsOf(value: unknown, path = '', found: Set<string> = new Set()): Set<string> {
  if (Array.isArray(value)) for (const member of value) pathsOf(member, `${path}[]`, found);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) pathsOf(member, `${path}.${key}`, found);
  } else found.add(`${path}:${typeof value}`);
  return found;
}

const missing = (expected: readonly string[], answer: unknown) => {
  const found = pathsOf(answer);
  return expected.filter((path) => !found.has(path) && !NOT_IN_THE_CELL.test(path));
};

describe('answers have the shape of a real one', () => {
  it.each(Object.entries(shapes.state))('GET %s', async (path, expected) => {
    const base = path.startsWith('/slave(1)') ? cell.agents[0]?.url : cell.masterUrl;
    const response = await fetch(base + path);
    expect(response.status).toBe(200);
    expect(missing(expected, await response.json())).toEqual([]);
  });

  it.each(Object.entries(shapes.operator))('%s', async (type, expected) => {
    const response = await fetch(`${cell.masterUrl}/api/v1`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ type }),
    });
    expect(response.status).toBe(200);
    expect(missing(expected, await response.json())).toEqual([]);
  });
});

describe('numbers', () => {
  it('that are doubles keep their point', async () => {
    const text = await (await fetch(`${cell.masterUrl}/state`)).text();
    expect(text).toContain('"cpus":4.0');
    expect(text).toContain('"failover_timeout":3600.0');
    expect(text).toMatch(/"port":\d+[,}]/);
  });
});
