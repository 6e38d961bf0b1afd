import { describe, expect, it } from '@jest/globals';
import { messageType } from './messages.ts';
import { compile, missingFields } from './notation.ts';

describe('definitions', () => {
  it('are read into fields, also of messages that hold themselves', () => {
    const tree = compile({ Tree: { name: '1! string', kind: '2 Kind', twigs: '3* Tree' }, Kind: { OAK: 7 } }).get(
      'Tree',
    );
    expect(tree?.fields.map(({ name, number, rule }) => [name, number, rule])).toEqual([
      ['name', 1, 'required'],
      ['kind', 2, 'optional'],
      ['twigs', 3, 'repeated'],
    ]);
    expect(tree?.byNumber.get(3)?.type).toBe(tree);
    expect(tree?.byName.get('kind')?.type).toMatchObject({ kind: 'enumeration', words: new Map([[7, 'OAK']]) });
  });

  it('may say what holds where a field is not set', () => {
    const fields = { a: '1 double = 15', b: '2 bool = false', c: '3 Kind = OAK', d: '4 string' };
    const type = compile({ A: fields, Kind: { OAK: 7 } }).get('A');
    expect(type?.fields.map(({ ifUnset }) => ifUnset)).toEqual([15, false, 'OAK', undefined]);
  });

  it.each([
    [{ A: { x: '1 Nothing' } }, 'there is no definition of Nothing'],
    [{ A: { x: 'string' } }, 'x: "string" is no field'],
    [{ A: { x: '1? string' } }, 'x: "1? string" is no field'],
    [{ A: { x: '1 string', y: '1 bool' } }, 'A has two fields of number 1'],
  ])('that are wrong are refused: %j', (definitions, complaint) => {
    expect(() => compile(definitions as unknown as Parameters<typeof compile>[0])).toThrow(complaint);
  });
});

describe('missing fields', () => {
  it('are named as protobuf names them, those of a message before those inside it', () => {
    const task = { name: 'x', resources: [{ name: 'cpus' }], limits: { cpus: {} } };
    const message = { type: 'ACCEPT', accept: { operations: [{ launch: { task_infos: [task, {}] } }] } };
    const infos = 'accept.operations[0].launch.task_infos';
    expect(missingFields(messageType('scheduler.Call'), message)).toEqual([
      `${infos}[0].task_id`,
      `${infos}[0].agent_id`,
      `${infos}[0].resources[0].type`,
      `${infos}[0].limits[0].value.value`,
      `${infos}[1].name`,
      `${infos}[1].task_id`,
      `${infos}[1].agent_id`,
    ]);
  });
});
