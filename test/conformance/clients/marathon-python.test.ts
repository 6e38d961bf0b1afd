import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { marathonPython } from './clients.ts';
import { describeWithClient } from './describe-with-client.ts';
import { type PlainCell, startPlainCell } from './plain-cell.ts';
import { runClient } from './run-client.ts';
import { type Told, toldIn } from './told.ts';

/** The life of apps through marathon-python, whose models raise errors at keys they do not know. */

jest.setTimeout(90_000);

const DEPLOYMENT = ['deploymentId', 'version'];
const notFound = (message: string) => ['NotFoundError', 404, message];

await describeWithClient('marathon-python', marathonPython, (command) => {
  let cell: PlainCell;
  let stderr: string;
  let told: Told;

  beforeAll(async () => {
    cell = await startPlainCell();
    const ran = await runClient(command, [join(import.meta.dirname, 'marathon-python/program.py'), cell.marathonUrl]);
    stderr = ran.stderr;
    told = toldIn(ran.stdout);
  });
  afterAll(() => cell.stop());

  it('comes to its end with no error but the refusals it asked for', () => {
    expect(stderr.split('\n').filter((line) => line !== '' && !/^Got HTTP 4\d\d: /.test(line))).toEqual([]);
    expect([...told.keys()].at(-1)).toBe('events');
  });

  it('knows the service', () => {
    const { host, port } = new URL(cell.marathonUrl);
    expect(told.get('service')).toEqual({
      ...{ ping: '"pong"', name: 'marathon', version: '1.7.236', elected: true, metrics: true },
      ...{ leader: { leader: host }, info_leader: host, master: new URL(cell.mesosUrl).host },
      ...{ failover: 604_800, http_port: Number(port) },
    });
  });

  describe('of an app', () => {
    const task = ['/web', 'TASK_RUNNING', 1, true];

    it.each<[string, Record<string, unknown>]>([
      [
        'created',
        {
          ...{ deployments: ['MarathonDeployment'], affected: [['/web']], running: 2, tasks: [task, task], counted: 2 },
          ...{ network: [{ mode: 'host' }], env: { A: '1' } },
        },
      ],
      ['listed', { ids: ['/web'], tasks: 2, endpoints: 2 }],
      [
        'updated',
        {
          ...{ scaled: [3, 3], updated: [3, { A: '2' }, 20], versions: 3 },
          ...{ old: [3, { A: '1' }, 16], back: [3, { A: '1' }, 16] },
        },
      ],
      ['restarted', { keys: DEPLOYMENT, tasks: 3, kept: 0 }],
      [
        'killed',
        { one: true, scaling: DEPLOYMENT, lowered: 2, all: 1, elsewhere: 0, there: DEPLOYMENT, left: [0, []] },
      ],
      ['deleted', { left: [] }],
    ])('sees it %s', (step, result) => {
      expect(told.get(step)).toEqual(result);
    });

    it('sends fields of before Marathon 1.5, alone and several apps at once', () => {
      expect(told.get('legacy')).toEqual({
        constraints: [['hostname', 'UNIQUE']],
        fetch: ['file:///etc/docker.tar.gz'],
        ports: 1,
        checks: [['HTTP', '/health', 3]],
        strategy: [0.5, 0],
        backoff: [1, 2, 30],
        both: [17, 16],
      });
    });

    it('sees one that waits, in the queue and locked, and takes it back', () => {
      expect(told.get('waiting')).toEqual({
        queued: ['/large', 1, true],
        reasons: ['InsufficientCpus'],
        locked: ['ConflictError', 409],
        steps: [[['StartApplication', '/large']], [['ScaleApplication', '/large']]],
        progress: [2, 2],
        undoing: DEPLOYMENT,
        left: notFound("App '/large' does not exist"),
      });
    });
  });

  it('handles groups', () => {
    expect(told.get('groups')).toEqual({
      made: DEPLOYMENT,
      ...{ apps: ['/shop/db'], groups: ['/shop/web'], doubled: [2, 4], listed: ['/shop'] },
      gone: notFound("Group '/shop' does not exist"),
    });
  });

  it('tells refusals apart', () => {
    expect(told.get('refusals')).toEqual({
      duplicate: ['ConflictError', 409, 'An app with id [/web] already exists.'],
      missing: notFound("App '/nothing' does not exist"),
      invalid: ['MarathonHttpError', 422, 'Invalid JSON'],
      rule: ['MarathonHttpError', 422, 'Object is not valid'],
      version: notFound("App '/web' does not exist in version 2000-01-01T00:00:00.000Z"),
    });
  });

  it('reads the event stream raw, and as its own classes where they are those of this Marathon', () => {
    expect(told.get('events')).toEqual({
      alive: true,
      raw: [
        ...['add_health_check_event', 'api_post_event', 'app_terminated_event', 'deployment_failed', 'deployment_info'],
        ...['deployment_step_success', 'deployment_success', 'event_stream_attached', 'group_change_failed'],
        ...['group_change_success', 'instance_changed_event', 'status_update_event'],
      ],
      typed: [
        ...['MarathonAddHealthCheckEvent', 'MarathonApiPostEvent', 'MarathonAppTerminatedEvent'],
        ...['MarathonDeploymentFailed', 'MarathonDeploymentSuccess', 'MarathonEventStreamAttached'],
        ...['MarathonGroupChangeFailed', 'MarathonGroupChangeSuccess', 'MarathonInstanceChangedEvent'],
        'MarathonStatusUpdateEvent',
      ],
    });
  });
});
