import { describe, expect, it } from '@jest/globals';
import { schemasOf } from './raml.ts';

const FILES: Readonly<Record<string, string>> = {
  'types/names.raml': `
types:
  Name: {type: string, pattern: '^[a-z]+$', maxLength: 63}
  Mode: {type: string, enum: [RO, RW]}
`,
  'types/thing.raml': `
uses: {names: names.raml}
types:
  Base:
    type: object
    properties:
      id: names.Name
      size?: {type: number, format: int32, minimum: 1}
      since: {type: datetime, required: false}
  Thing:
    type: Base
    (pragma.serializeOnly):
    properties:
      size: integer
      short: {type: names.Name, maxLength: 3}
      modes?: {type: 'names.Mode[]', uniqueItems: true}
      parts?: {type: array, items: Thing, minItems: 1}
      strategy?: (names.Mode | Base)
      labels?: {type: object, properties: {'/.*/': string}}
  Free: object
`,
};

const schemas = (extra: Readonly<Record<string, string>> = {}, path = 'types/thing.raml') =>
  schemasOf([path], (name) => ({ ...FILES, ...extra })[name] ?? '');

describe('RAML said in JSON Schema', () => {
  it('closes objects, and knows what is optional by the mark and by the facet', () => {
    expect(schemas()['thing.Base']).toEqual({
      type: 'object',
      properties: {
        id: { $ref: '#/$defs/names.Name' },
        size: { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 },
        since: { type: 'string', format: 'datetime' },
      },
      required: ['id'],
      additionalProperties: false,
    });
  });

  it('lets a type inherit members, and say them anew', () => {
    expect(schemas()['thing.Thing']).toMatchObject({
      properties: { id: { $ref: '#/$defs/names.Name' }, size: { type: 'integer' } },
      required: ['id', 'size', 'short'],
    });
  });

  it('reads lists, unions, narrower names, maps and types that contain themselves', () => {
    expect(schemas()['thing.Thing']).toMatchObject({
      properties: {
        short: { allOf: [{ $ref: '#/$defs/names.Name' }, { maxLength: 3 }] },
        modes: { type: 'array', items: { $ref: '#/$defs/names.Mode' } },
        parts: { type: 'array', items: { $ref: '#/$defs/thing.Thing' }, minItems: 1 },
        strategy: { anyOf: [{ $ref: '#/$defs/names.Mode' }, { $ref: '#/$defs/thing.Base' }] },
        labels: { patternProperties: { '.*': { type: 'string' } }, additionalProperties: false },
      },
    });
    expect(schemas()['names.Mode']).toEqual({ type: 'string', enum: ['RO', 'RW'] });
    expect(schemas()['thing.Free']).toEqual({ type: 'object' });
  });

  it.each([
    ['a facet', 'types: {A: {type: string, minProperties: 1}}', 'the facet minProperties is not known'],
    ['a format', 'types: {A: {type: number, format: int8}}', 'the format int8 is not known'],
    ['a type', 'types: {A: B}', 'there is no type B'],
    ['a library', 'types: {A: other.B}', 'other.B is of a library that it does not use'],
  ])('throws at %s it does not know', (_what, text, message) => {
    expect(() => schemas({ 'types/a.raml': text }, 'types/a.raml')).toThrow(message);
  });
});
