import { describe, expect, it } from '@jest/globals';
import { concernsEvent, concernsRequest, concernsTask, isWithheld, unknownAgents } from './decisions.ts';
import { type SwitchesInput, switchesSchema } from './switches.ts';

const parsed = (input: SwitchesInput) => switchesSchema.parse(input);
type Routes = NonNullable<SwitchesInput['routes']>;

describe('a route fault', () => {
  const create = { of: 'marathon', method: 'POST', uri: '/v2/apps?force=true' } as const;
  const accept = { of: 'mesos', method: 'POST', uri: '/api/v1/scheduler', call: 'ACCEPT' } as const;
  it.each<[string, Routes[number], typeof create | typeof accept, boolean]>([
    ['of anything', { kind: 'drop' }, create, true],
    ['of its server', { kind: 'drop', of: 'marathon' }, create, true],
    ['of another server', { kind: 'drop', of: 'mesos' }, create, false],
    ['of its method, in any case', { kind: 'drop', method: 'post' }, create, true],
    ['of another method', { kind: 'drop', method: 'PUT' }, create, false],
    ['of its path', { kind: 'drop', path: '^/v2/apps' }, create, true],
    ['of its query', { kind: 'drop', path: 'force=true$' }, create, true],
    ['of another path', { kind: 'drop', path: '^/v2/groups' }, create, false],
    ['of its call', { kind: 'drop', call: 'ACCEPT' }, accept, true],
    ['of another call', { kind: 'drop', call: 'KILL' }, accept, false],
    ['of a call where there is none', { kind: 'drop', call: 'ACCEPT' }, create, false],
    ['of all of these together', { kind: 'drop', of: 'mesos', method: 'POST', call: 'ACCEPT' }, accept, true],
  ])('%s', (_, fault, request, expected) => {
    const [rule] = parsed({ routes: [fault] }).routes;
    expect(rule !== undefined && concernsRequest(rule, request)).toBe(expected);
  });
});

describe('other faults', () => {
  it('are of event types, or of all', () => {
    const [some, all] = parsed({ events: [{ kind: 'lose', types: ['a', 'b'] }, { kind: 'lose' }] }).events;
    if (some === undefined || all === undefined) throw new Error('unreachable');
    expect(['a', 'b', 'c'].map((type) => concernsEvent(some, type))).toEqual([true, true, false]);
    expect(concernsEvent(all, 'c')).toBe(true);
  });

  it('are of tasks by id and agent', () => {
    const task = { id: 'prod_web.1', agent: 'prod-1' };
    const concerns = (fault: object) => {
      const [rule] = parsed({ tasks: [{ kind: 'fail', ...fault }] }).tasks;
      return rule !== undefined && concernsTask(rule, task);
    };
    expect(concerns({})).toBe(true);
    expect(concerns({ task: '^prod_web\\.' })).toBe(true);
    expect(concerns({ task: '^fat_' })).toBe(false);
    expect(concerns({ agent: 'fat-1' })).toBe(false);
    expect(concerns({ agent: 'prod-1', task: '1$' })).toBe(true);
  });

  it('withhold offers of all agents, of some, or of none', () => {
    const held = (offersWithheld: boolean | string[]) =>
      ['a', 'b'].map((name) => isWithheld(parsed({ offersWithheld }), name));
    expect(held(true)).toEqual([true, true]);
    expect(held(['b'])).toEqual([false, true]);
    expect(held(false)).toEqual([false, false]);
  });

  it('name agents that are there', () => {
    const switches = parsed({
      agents: { a: 'lost', x: 'partitioned' },
      offersWithheld: ['b', 'y'],
      tasks: [{ kind: 'fail', agent: 'x' }],
    });
    expect(unknownAgents(switches, ['a', 'b'])).toEqual(['x', 'y']);
  });
});

describe('the switches', () => {
  it.each([
    ['an unknown switch', { fire: true }],
    ['an unknown kind', { routes: [{ kind: 'explode' }] }],
    ['a delay without a time', { routes: [{ kind: 'delay' }] }],
    ['a time where nothing waits', { events: [{ kind: 'lose', delayMs: 5 }] }],
    ['a slow task without a time', { tasks: [{ kind: 'slow' }] }],
    ['what is no pattern', { routes: [{ kind: 'drop', path: '(' }] }],
    ['a chance above 1', { routes: [{ kind: 'drop', probability: 1.5 }] }],
    ['no times', { routes: [{ kind: 'drop', times: 0 }] }],
    ['a status that is no error', { routes: [{ kind: '503-before', status: 200 }] }],
  ])('refuse %s', (_, input) => {
    expect(switchesSchema.safeParse(input).success).toBe(false);
  });

  it('are off when nothing is said', () => {
    expect(parsed({})).toEqual({
      seed: 1,
      routes: [],
      events: [],
      eventsSilent: false,
      agents: {},
      offersWithheld: false,
      tasks: [],
      master: 'leads',
      marathon: 'leads',
    });
  });
});
