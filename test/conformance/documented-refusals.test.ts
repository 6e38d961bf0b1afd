import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type MarathonCell, startMarathon } from '../../cell/marathon/marathon.ts';
import { PROFILES } from '../../cell/marathon/profile.ts';

/** Every refusal that Marathon's documentation and its published API name, one after the other, in its words. */

jest.setTimeout(60_000);

const APP = { cmd: 'sleep 1000', cpus: 0.1, mem: 16, instances: 0 };
const LOCKED =
  "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.";
const NO_COMMAND = "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.";

describe.each(['1.7', '1.11'] as const)('profile %s', (profile) => {
  let cell: MarathonCell;
  let stateDir: string;
  let deploymentId = '';

  async function call(method: string, path: string, body?: unknown) {
    const answer = await fetch(cell.url + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'refusals-'));
    // No Mesos listens there: what wants instances is deployed for ever.
    cell = await startMarathon({ host: '127.0.0.1', port: 0, mesosMaster: 'http://127.0.0.1:1', stateDir, profile });
    // Which release's types hold is learnt from it.
    await call('GET', '/v2/info');
    await call('POST', '/v2/apps', { id: '/there', ...APP });
    await call('POST', '/v2/apps', { id: '/group/app', ...APP });
    const locked = await call('POST', '/v2/apps', { id: '/locked', ...APP, instances: 1 });
    deploymentId = locked.body.deployments[0].id;
  });

  afterAll(async () => {
    await cell.stop();
    rmSync(stateDir, { recursive: true });
  });

  const unrouted = PROFILES[profile].unroutedStatus;

  it.each<readonly [string, string, string, object | undefined, number, string]>([
    ['an unknown app', 'GET', '/v2/apps/none', undefined, 404, "App '/none' does not exist"],
    ['an unknown app', 'DELETE', '/v2/apps/none', undefined, 404, "App '/none' does not exist"],
    ['an unknown app', 'PATCH', '/v2/apps/none', APP, 404, "App '/none' does not exist"],
    [
      'an unknown version',
      'PUT',
      '/v2/apps/there',
      { version: '2015-01-01T00:00:00.000Z' },
      404,
      "App '/there' does not exist",
    ],
    ['an unknown group', 'GET', '/v2/groups/none', undefined, 404, "Group '/none' does not exist"],
    ['an unknown group', 'DELETE', '/v2/groups/none', undefined, 404, "Group '/none' does not exist"],
    ['an unknown group', 'GET', '/v2/groups/none/versions', undefined, 404, "Group '/none' does not exist"],
    ['an unknown group', 'GET', '/v2/apps/none/*', undefined, 404, "Group '/none' does not exist"],
    ['an unknown task', 'DELETE', '/v2/apps/there/tasks/there.x', undefined, 404, "Task 'there.x' does not exist"],
    ['an unknown deployment', 'DELETE', '/v2/deployments/none', undefined, 404, 'DeploymentPlan none does not exist'],
    [
      'an unknown deployment',
      'DELETE',
      '/v2/deployments/none?force=true',
      undefined,
      404,
      'DeploymentPlan none does not exist',
    ],
    [
      'an app that waits for nothing',
      'DELETE',
      '/v2/queue/there/delay',
      undefined,
      404,
      'Application /there not found in tasks queue.',
    ],
    ['a path that leads nowhere', 'GET', '/v2/none', undefined, unrouted, 'URI not found'],
    [
      'an id that is taken',
      'POST',
      '/v2/apps',
      { id: '/there', ...APP },
      409,
      'An app with id [/there] already exists.',
    ],
    [
      'a group that is there',
      'POST',
      '/v2/groups',
      { id: '/group' },
      409,
      'Group /group is already created. Use PUT to change this group.',
    ],
    [
      'a group in place of an app',
      'POST',
      '/v2/groups',
      { id: '/there' },
      409,
      'An app with the path /there already exists.',
    ],
    ['a locked app', 'PUT', '/v2/apps/locked', { cmd: 'sleep 2' }, 409, LOCKED],
    ['a locked app', 'POST', '/v2/apps/locked/restart', undefined, 409, LOCKED],
    ['a locked app', 'DELETE', '/v2/apps/locked?force=false', undefined, 409, LOCKED],
    ['a group with a locked app', 'DELETE', '/v2/groups', undefined, 409, LOCKED],
    [
      'scale and wipe',
      'DELETE',
      '/v2/apps/there/tasks?scale=true&wipe=true',
      undefined,
      400,
      'You cannot use scale and wipe at the same time.',
    ],
    ['a wrong method', 'DELETE', '/v2/apps', undefined, 405, 'Method Not Allowed'],
    [
      'a time that is none',
      'GET',
      '/v2/apps/there/versions/yesterday',
      undefined,
      422,
      "Invalid timestamp provided 'yesterday'. Expecting ISO-8601 datetime string.",
    ],
  ])('%s: %s %s', async (_what, method, path, body, status, message) => {
    const answer = await call(method, path, body);
    expect([answer.status, answer.body.message]).toEqual([status, message]);
    // Clients tell "locked" from "exists" by it.
    if (message === LOCKED) expect(answer.body.deployments).toEqual([{ id: deploymentId }]);
    else expect(answer.body).not.toHaveProperty('deployments');
  });

  it.each<readonly [string, string, string, unknown, string, string]>([
    ['a type', 'POST', '/v2/apps', { id: '/x', ...APP, cpus: 'x' }, '/cpus', 'error.expected.jsnumber'],
    ['a range', 'PUT', '/v2/apps/there', { cpus: -1 }, '/cpus', 'error.min'],
    ['a pattern', 'POST', '/v2/apps', { ...APP, id: '/UPPER' }, '/id', 'error.pattern'],
    ['a pattern', 'POST', '/v2/groups', { id: '/-x-' }, '/id', 'error.pattern'],
    ['a pattern', 'PUT', '/v2/groups/x', { groups: [{ id: 'a..b' }] }, '/groups(0)/id', 'error.pattern'],
    [
      'a word',
      'POST',
      '/v2/apps',
      { id: '/x', ...APP, killSelection: 'x' },
      '/killSelection',
      'error.unknown.enum.literal',
    ],
    ['what is missing', 'POST', '/v2/apps', APP, '/id', `'id' is undefined on object: ${JSON.stringify(APP)}`],
    ['a list', 'PUT', '/v2/apps', { id: '/x' }, '', 'error.expected.jsarray'],
    [
      'a member of a list',
      'POST',
      '/v2/apps',
      { id: '/x', ...APP, portDefinitions: [{ port: -1 }] },
      '/portDefinitions(0)/port',
      'error.min',
    ],
    [
      'an app of a group',
      'POST',
      '/v2/groups',
      { id: '/x', apps: [{ id: 'a', ...APP, mem: 'x' }] },
      '/apps(0)/mem',
      'error.expected.jsnumber',
    ],
    ['ids of tasks', 'POST', '/v2/tasks/delete', { ids: 'x' }, '', 'error.expected.jsarray'],
  ])('the form of %s: %s %s', async (_what, method, path, body, at, error) => {
    const answer = await call(method, path, body);
    expect(answer).toEqual({
      status: 422,
      body: { message: 'Invalid JSON', details: [{ path: at, errors: [error] }] },
    });
  });

  it.each<readonly [string, string, string, unknown, string, string]>([
    ['no command', 'POST', '/v2/apps', { id: '/x' }, '/', NO_COMMAND],
    ['no command', 'PUT', '/v2/apps/none', {}, '/', NO_COMMAND],
    [
      'a version and more',
      'PUT',
      '/v2/apps/there',
      { version: '2015-01-01T00:00:00.000Z', cmd: 'sleep 2' },
      '/',
      "The 'version' field may only be combined with the 'id' field.",
    ],
    [
      'an app in place of a group',
      'POST',
      '/v2/apps',
      { id: '/group', ...APP },
      '/',
      'Groups and Applications may not have the same identifier.',
    ],
    [
      'a circle',
      'POST',
      '/v2/apps',
      { id: '/x', ...APP, dependencies: ['/x'] },
      '/',
      'Dependency graph has cyclic dependencies.',
    ],
    [
      'a constraint',
      'POST',
      '/v2/apps',
      { id: '/x', ...APP, constraints: [['hostname', 'UNIQUE', 'x']] },
      '/constraints',
      'UNIQUE does not accept a value',
    ],
    [
      'a URI',
      'POST',
      '/v2/apps',
      { id: '/x', ...APP, fetch: [{ uri: 'a b.tgz' }] },
      '/fetch(0)/uri',
      'URI has invalid syntax.',
    ],
    [
      'ports twice',
      'POST',
      '/v2/apps',
      { id: '/x', ...APP, portDefinitions: [{ port: 9 }, { port: 9 }] },
      '/portDefinitions',
      'Ports must be unique.',
    ],
    [
      'names twice',
      'POST',
      '/v2/apps',
      {
        id: '/x',
        ...APP,
        portDefinitions: [
          { port: 0, name: 'a' },
          { port: 0, name: 'a' },
        ],
      },
      '/portDefinitions',
      'Port names must be unique.',
    ],
  ])('a rule: %s: %s %s', async (_what, method, path, body, at, error) => {
    const answer = await call(method, path, body);
    expect([answer.status, answer.body.message]).toEqual([422, 'Object is not valid']);
    expect(answer.body.details).toContainEqual({ path: at, errors: [error] });
  });

  it('a selector that can not be read is 422, and says where', async () => {
    const answer = await call('GET', '/v2/apps?label=z%20in');
    expect(answer.status).toBe(422);
    expect(answer.body.message).toBe("Can not parse label selector z in. Reason: '(' expected but end of source found");
  });

  it('more than a hundred deployments at once are 403', async () => {
    for (let index = 1; index < 100; index += 1) {
      const { status } = await call('POST', '/v2/apps', { id: `/many/${index}`, ...APP, instances: 1 });
      expect(status).toBe(201);
    }
    const refused = await call('POST', '/v2/apps', { id: '/many/100', ...APP, instances: 1 });
    expect(refused).toMatchObject({ status: 403, body: { message: expect.stringContaining('(100)') } });
    expect((await call('GET', '/v2/apps/many/100')).status).toBe(404);
    // Not even by force is anything changed then; only to stop one helps.
    expect((await call('PUT', '/v2/apps/locked?force=true', { instances: 2 })).status).toBe(403);
    expect((await call('DELETE', `/v2/deployments/${deploymentId}?force=true`)).status).toBe(202);
    expect((await call('POST', '/v2/apps', { id: '/many/100', ...APP, instances: 1 })).status).toBe(201);
  });
});
