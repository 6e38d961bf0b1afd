import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { goMarathon } from './clients.ts';
import { describeWithClient } from './describe-with-client.ts';
import { type PlainCell, startPlainCell } from './plain-cell.ts';
import { runClient } from './run-client.ts';
import { type Told, toldIn } from './told.ts';

/** An app's life through go-marathon, the library of most Go tools of Marathon's time, against its own reading of answers. */

jest.setTimeout(90_000);

/** go-marathon's numbers of errors. */
const NOT_FOUND = 3;
const DUPLICATE = 4;
const LOCKED = 5;
const INVALID = 6;

await describeWithClient('go-marathon', goMarathon, (command) => {
  let cell: PlainCell;
  let stderr: string;
  let told: Told;

  beforeAll(async () => {
    cell = await startPlainCell();
    const ran = await runClient(command, [cell.marathonUrl]);
    stderr = ran.stderr;
    told = toldIn(ran.stdout);
  });
  afterAll(() => cell.stop());

  it('comes to its end', () => {
    expect(stderr).toBe('');
    expect([...told.keys()].at(-1)).toBe('deleted');
  });

  it('knows the service', () => {
    const host = new URL(cell.marathonUrl).host;
    expect(told.get('service')).toEqual({
      ...{ ping: true, name: 'marathon', version: '1.7.236', leader: host, infoLeader: host },
      master: new URL(cell.mesosUrl).host,
      frameworkId: expect.stringMatching(/^[0-9a-f-]{36}-\d{4}$/),
    });
  });

  describe('of an app', () => {
    it.each<[string, Record<string, unknown>]>([
      [
        'created',
        { deployments: 1, ok: true, running: 2, tasks: 2, ports: 1, env: { A: '1' }, labels: { team: 'shop' } },
      ],
      ['listed', { names: ['/web'], embedded: 2 }],
      ['scaled', { running: 3, keptConfig: true, movedScale: true, sameVersion: true }],
      ['rolled back', { count: 3, has: true, old: { A: '1' }, restored: { A: '1' }, instances: 2 }],
      ['restarted', { running: 2, kept: 0 }],
      ['killed', { one: true, replaced: true, scaled: true, all: 1 }],
    ])('sees it %s', (step, result) => {
      expect(told.get(step)).toEqual(result);
    });

    it('sees a deployment that stays, its lock and its place in the queue, and takes it back', () => {
      const id = String(told.get('waiting')?.['id']);
      expect(told.get('waiting')).toEqual({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        locked: expect.stringMatching(`^${LOCKED} .*App is locked by one or more deployments.*IDs: ${id}\\)$`),
        ...{ queued: true, deployments: 1, has: true, affected: ['/large'] },
        actions: ['StartApplication /large', 'ScaleApplication /large'],
        gone: `${NOT_FOUND} Marathon API error: App '/large' does not exist`,
      });
    });

    it('sees it deleted, and every kind of event that it listens for', () => {
      expect(told.get('deleted')).toEqual({
        left: null,
        events: [
          ...['api_post_event', 'app_terminated_event', 'deployment_failed', 'deployment_info', 'deployment_success'],
          ...['event_stream_attached', 'group_change_success', 'status_update_event'],
        ],
      });
    });
  });

  it('handles groups', () => {
    expect(told.get('groups')).toEqual({ apps: 2, inRoot: 1, left: 1, has: false });
  });

  it('tells refusals apart', () => {
    const error = (code: number, message: string) => `${code} Marathon API error: ${message}`;
    expect(told.get('refusals')).toEqual({
      duplicate: error(DUPLICATE, 'An app with id [/web] already exists.'),
      missing: error(NOT_FOUND, "App '/nothing' does not exist"),
      invalid: error(INVALID, "Invalid JSON (path: '/cpus' errors: error.min)"),
      rule: error(
        INVALID,
        "Object is not valid (path: '/' errors: AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.)",
      ),
      version: error(NOT_FOUND, "App '/web' does not exist in version 2000-01-01T00:00:00.000Z"),
      deployment: error(NOT_FOUND, 'DeploymentPlan nothing does not exist'),
    });
  });
});
