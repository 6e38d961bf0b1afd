import { describe, expect, it } from '@jest/globals';
import { NO_SHARED } from '../../shared.ts';
import { marathonContract } from './contract.ts';
import { Overheard } from './overheard.ts';

/** What is heard of a Marathon's answers and events, whoever asked, is held to the types of its release. */

const contract = marathonContract();
const suite = contract ? describe : describe.skip;

suite(contract ? 'what a Marathon is heard to say' : NO_SHARED, () => {
  const json = { method: 'GET', status: 200, contentType: 'application/json' };
  const info = (version: string) => ({ ...json, path: '/v2/info', text: JSON.stringify({ version }) });
  const task = {
    id: 'a.1',
    appId: '/a',
    host: 'h',
    slaveId: 's',
    state: 'TASK_RUNNING',
    healthCheckResults: [],
    ipAddresses: [],
    localVolumes: [],
    ports: [],
    servicePorts: [],
  };
  const tasks = (more: object = {}) => ({
    ...json,
    path: '/v2/tasks?status=running',
    text: JSON.stringify({ tasks: [{ ...task, ...more }] }),
  });
  const heard = (version: string, ...answers: readonly Parameters<Overheard['answer']>[0][]) => {
    const overheard = new Overheard(contract);
    for (const answer of [info(version), ...answers]) overheard.answer(answer, true);
    // What this info itself lacks is no matter here.
    return overheard.breaches.filter((breach) => !breach.startsWith('GET /v2/info'));
  };

  it('is right or wrong by the release that it names', () => {
    expect(heard('1.7.236', tasks())).toEqual([]);
    expect(heard('1.11.26', tasks())).toEqual(['GET /v2/tasks: task.Task: lacks role']);
    expect(heard('1.11.26', tasks({ role: '*' }))).toEqual([]);
    expect(heard('1.11.26', tasks({ role: '*', uptime: 3 }))).toEqual([
      'GET /v2/tasks: task.Task: does not know uptime',
    ]);
  });

  it('is told when nobody knows its release', () => {
    const overheard = new Overheard(contract);
    overheard.answer(tasks(), true);
    expect(overheard.breaches).toEqual([expect.stringContaining('/v2/info')]);
  });

  it('counts on a stream too, event by event', () => {
    const event = (data: object) => `event: x\r\ndata: ${JSON.stringify(data)}\r\n\r\n`;
    const timestamp = '2026-01-01T00:00:00.000Z';
    const good = event({ eventType: 'app_terminated_event', appId: '/a', timestamp });
    const bad = event({ eventType: 'app_terminated_event', app: '/a', timestamp });
    const stream = { ...json, path: '/v2/events', contentType: 'text/event-stream;charset=utf-8' };
    expect(heard('1.11.26', { ...stream, text: `\r\n${good}` })).toEqual([]);
    expect(heard('1.11.26', { ...stream, text: good + bad })).toEqual([
      'event app_terminated_event: events.app_terminated_event: lacks appId',
      'event app_terminated_event: events.app_terminated_event: does not know app',
    ]);
  });

  it('does not count of what never names a leader, such as a Mesos', () => {
    const overheard = new Overheard(contract);
    overheard.answer({ ...json, path: '/slaves', text: '{"slaves":[]}' }, false);
    expect(overheard.breaches).toEqual([]);
  });
});
