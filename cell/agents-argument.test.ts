import { describe, expect, it } from '@jest/globals';
import { agentsOf } from './agents-argument.ts';

const brief = (argument: Parameters<typeof agentsOf>[0]) =>
  agentsOf(argument).map(({ name, attributes, cpus, mem, portRange }) => [name, attributes, cpus, mem, ...portRange]);

describe('agentsOf', () => {
  it.each<[string, Parameters<typeof agentsOf>[0], unknown[]]>([
    ['one without attributes', { agents: '' }, [['agent-1', '', 16, 16_384, 31_000, 31_199]]],
    [
      'commas between agents, semicolons within one',
      { agents: 'env:fat;role:ci,env:prod' },
      [
        ['fat-1', 'env:fat;role:ci', 16, 16_384, 31_000, 31_199],
        ['prod-1', 'env:prod', 16, 16_384, 31_200, 31_399],
      ],
    ],
    [
      'names that count up, and one for what can be no name',
      { agents: 'env:prod,env:prod,rack:r_1' },
      [
        ['prod-1', 'env:prod', 16, 16_384, 31_000, 31_199],
        ['prod-2', 'env:prod', 16, 16_384, 31_200, 31_399],
        ['agent-1', 'rack:r_1', 16, 16_384, 31_400, 31_599],
      ],
    ],
    [
      'commas of ranges',
      { agents: 'span:[1-3,5-7],env:fat' },
      [
        ['agent-1', 'span:[1-3,5-7]', 16, 16_384, 31_000, 31_199],
        ['fat-1', 'env:fat', 16, 16_384, 31_200, 31_399],
      ],
    ],
    [
      'amounts for all, and for each',
      { agents: 'a:x,a:y', cpus: '2', mem: '512,1024', ports: '4000-4009,5000-5000' },
      [
        ['x-1', 'a:x', 2, 512, 4000, 4009],
        ['y-1', 'a:y', 2, 1024, 5000, 5000],
      ],
    ],
  ])('reads %s', (_, argument, expected) => {
    expect(brief(argument)).toEqual(expected);
  });

  it.each<[Parameters<typeof agentsOf>[0], RegExp]>([
    [{ agents: 'env:fat,env' }, /"env" is not name:value/],
    [{ agents: 'a:x', cpus: 'many' }, /--cpus many: a positive number/],
    [{ agents: 'a:x', mem: '-1' }, /--mem -1/],
    [{ agents: 'a:x,a:y,a:z', cpus: '1,2' }, /2 values for 3 agents/],
    [{ agents: 'a:x', ports: '10' }, /no range/],
    [{ agents: 'a:x', ports: '20-10' }, /no range/],
    [{ agents: 'a:x', ports: '1-70000' }, /no range/],
    [{ agents: 'a:x,a:y', ports: '1-5' }, /1 ranges for 2 agents/],
    [{ agents: 'a:x,a:y', ports: '1-5,5-9' }, /must not share/],
  ])('refuses %j', (argument, message) => {
    expect(() => agentsOf(argument)).toThrow(message);
  });
});
