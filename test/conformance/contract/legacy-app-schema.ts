import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { z } from 'zod';
import { SHARED } from '../../shared.ts';

/** What 1.7 says of apps that the last published JSON schema, that of 1.5, does not know yet. */
export const AFTER_1_5 = [
  '/constraints/*/*: must be equal to one of the allowed values',
  '/healthChecks/*: does not know ipProtocol',
];

/** Definitions of apps, as 1.5 and later write them, against the last JSON schema that was published; no schema, no breach. */
export function legacyAppBreaches(apps: readonly object[]): readonly string[] {
  const validate = validator();
  if (!validate) return [];
  const breaches = apps.flatMap((app) => {
    if (validate(app)) return [];
    return (validate.errors ?? []).map(({ instancePath, keyword, params, message }) => {
      const what = keyword === 'additionalProperties' ? `does not know ${params['additionalProperty']}` : message;
      return `${instancePath.replaceAll(/\/\d+/g, '/*')}: ${what}`;
    });
  });
  return [...new Set(breaches)].toSorted();
}

function validator(): ValidateFunction | undefined {
  if (SHARED === undefined) return undefined;
  const text = readFileSync(join(SHARED, 'contracts/marathon/schema/AppDefinition.v1.5.15.json'), 'utf8');
  // It names no draft that ajv knows.
  const { $schema: _, ...schema } = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  return new Ajv({ strict: false, allErrors: true, logger: false }).compile(schema);
}
