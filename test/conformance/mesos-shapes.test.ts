/**
 * What dashboards and clients read: every field that a real Mesos 1.11.0 showed with one running task is in the
 * answer, with the same type, and no other. `mesos/shapes-1.11.0.json` holds the recorded paths, `[]` for a member of a list.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, jest } from '@jest/globals';
import { scalar, TestFramework } from '../integration/mesos-framework.ts';
import { until } from '../integration/mesos-until.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import type { MesosKind } from '../mesos-rig/mesos-under-test.ts';

jest.setTimeout(120_000);

const shapes: { readonly state: Record<string, string[]>; readonly operator: Record<string, string[]> } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'mesos/shapes-1.11.0.json'), 'utf8'),
);

/** Those of the recording's second framework, an old driver's. */
const NOBODY_HAS = /^\.frameworks\[\]\.(pid|role):/;
/** The embedded one does not measure containers. */
const NOT_EMBEDDED = /\.statistics\./;
/** Flags and figures depend on how it is started; recorded executors told no id of their own. */
const NOT_RECORDED = /^\.flags\.|^\.get_metrics|^\.\w+\/.*:number$|\.statuses\[\]\.executor_id\.value:/;

function pathsOf(value: unknown, path = '', found: Set<string> = new Set()): Set<string> {
  if (Array.isArray(value)) for (const member of value) pathsOf(member, `${path}[]`, found);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) pathsOf(member, `${path}.${key}`, found);
  } else found.add(`${path}:${typeof value}`);
  return found;
}

/** What is missing of the recorded, and what was not recorded. */
function difference(kind: MesosKind, expected: readonly string[], answer: unknown) {
  const found = pathsOf(answer);
  const allowed = (path: string) => NOBODY_HAS.test(path) || (kind === 'embedded' && NOT_EMBEDDED.test(path));
  return {
    missing: expected.filter((path) => !found.has(path) && !allowed(path)),
    more: [...found].filter((path) => !expected.includes(path) && !NOT_RECORDED.test(path)),
  };
}

const NONE = { missing: [], more: [] };

const AGENT = { name: 'agent-1', attributes: 'env:fat;rack:r1;num:3.5', portRange: [31410, 31499] } as const;

describeOnEachMesos('answers have the recorded shape', { agents: [AGENT] }, (under) => {
  beforeAll(async () => {
    const info = {
      name: 'ci',
      roles: ['ci'],
      hostname: 'ci.example',
      webui_url: 'http://ci.example/',
      labels: { labels: [{ key: 'team', value: 'x' }] },
    };
    const framework = await new TestFramework(under.mesos.masterUrl, info).connected();
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
    await until('the rest is on offer again', 30_000, () => framework.offers.size === 1);
  });

  for (const [path, expected] of Object.entries(shapes.state)) {
    under.it(`GET ${path}`, async () => {
      const base = path.startsWith('/slave(1)') ? under.mesos.agents[0]?.url : under.mesos.masterUrl;
      const response = await fetch(base + path);
      expect(response.status).toBe(200);
      expect(difference(under.kind, expected, await response.json())).toEqual(NONE);
    });
  }

  for (const [type, expected] of Object.entries(shapes.operator)) {
    under.it(type, async () => {
      const response = await fetch(`${under.mesos.masterUrl}/api/v1`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ type }),
      });
      expect(response.status).toBe(200);
      expect(difference(under.kind, expected, await response.json())).toEqual(NONE);
    });
  }

  under.it('numbers that are doubles keep their point', async () => {
    const text = await (await fetch(`${under.mesos.masterUrl}/state`)).text();
    expect(text).toContain('"cpus":4.0');
    expect(text).toContain('"failover_timeout":3600.0');
    expect(text).toMatch(/"port":\d+[,}]/);
  });
});
