import type { SwaggerTransformObject } from '@fastify/swagger';
import { jsonSchemaTransformObject } from 'fastify-type-provider-zod';

/**
 * The OpenAPI document without what nobody refers to. The type provider writes every named schema twice, as it is
 * sent (`OrderInput`) and as it is answered (`Order`); one that is only sent gets its plain name back.
 */
export const openApiObject: SwaggerTransformObject = (document) => {
  const whole = jsonSchemaTransformObject(document);
  if (!('components' in whole) || whole.components?.schemas === undefined) return whole;
  const schemas: Readonly<Record<string, unknown>> = whole.components.schemas;
  const used = reachable(whole.paths, schemas);
  const kept = Object.entries(schemas).filter(([name]) => used.has(name));
  const plainName = (name: string) => {
    const plain = name.replace(/Input$/, '');
    return used.has(plain) ? name : plain;
  };
  const pruned = {
    ...whole,
    components: {
      ...whole.components,
      schemas: Object.fromEntries(kept.map(([name, schema]) => [plainName(name), schema])),
    },
  };
  return JSON.parse(JSON.stringify(pruned), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? `${PREFIX}${plainName(value.slice(PREFIX.length))}` : value,
  );
};

const PREFIX = '#/components/schemas/';

function reachable(start: unknown, schemas: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting: unknown[] = [start];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    for (const name of references(node)) {
      if (found.has(name)) continue;
      found.add(name);
      waiting.push(schemas[name]);
    }
  }
  return found;
}

function* references(node: unknown): Generator<string> {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (key === '$ref' && typeof value === 'string') yield value.slice(PREFIX.length);
    else yield* references(value);
  }
}
