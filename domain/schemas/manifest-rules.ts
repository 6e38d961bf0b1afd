/**
 * Rules between fields of `slipway.yaml`. Each looks only at the fields it compares and stays silent where these are
 * themselves wrong, so that a mistake in one place hides none in another.
 */
import { z } from 'zod';
import type { InputError } from '../failures.ts';
import { pathText } from './input-errors.ts';
import { batchesSchema, canaryWeightSchema, dnsLabel, instanceCount } from './manifest-shape.ts';
import { nearestName } from './nearest-name.ts';

/** Longest DNS label, RFC 1035 section 2.3.4. */
const LONGEST_LABEL = 63;

/** @param document the document as it was read from YAML, right or wrong */
export function manifestRuleErrors(document: unknown): InputError[] {
  return [dnsNamesFit, testsNameKnownEnvironments, batchesRise, canaryBeforeBatches, scaleBoundsInOrder].flatMap(
    (rule) => rule(document),
  );
}

function dnsNamesFit(document: unknown): InputError[] {
  const service = read(dnsLabel, document, 'service');
  if (service === undefined) return [];
  return keys(document, 'environments')
    .filter((name) => `${service}-${name}`.length > LONGEST_LABEL)
    .map((name) => ({
      path: pathText(['environments', name]),
      message: `its DNS name ${service}-${name} is longer than ${LONGEST_LABEL} letters; shorten one of the names`,
    }));
}

function testsNameKnownEnvironments(document: unknown): InputError[] {
  const known = keys(document, 'environments');
  if (known.length === 0) return [];
  return keys(document, 'tests').flatMap((test) => {
    const named = read(z.array(z.unknown()), document, 'tests', test, 'environments') ?? [];
    const seen = new Set<string>();
    return named.flatMap((name, index) => {
      if (typeof name !== 'string' || !dnsLabel.safeParse(name).success) return [];
      const path = pathText(['tests', test, 'environments', index]);
      if (seen.has(name)) return [{ path, message: `${name} is named twice` }];
      seen.add(name);
      if (known.includes(name)) return [];
      const meant = nearestName(name, known);
      const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
      return [{ path, message: `${name} is not one of the environments; ${hint}` }];
    });
  });
}

function batchesRise(document: unknown): InputError[] {
  const batches = read(batchesSchema, document, 'release', 'batches');
  if (batches === undefined) return [];
  const errors = batches.flatMap((share, index) =>
    share > (batches[index - 1] ?? 0)
      ? []
      : [
          {
            path: pathText(['release', 'batches', index]),
            message: 'must be above the one before it, the first above 0%',
          },
        ],
  );
  return batches.at(-1) === 100 ? errors : [...errors, { path: 'release.batches', message: 'must end with 100%' }];
}

function canaryBeforeBatches(document: unknown): InputError[] {
  const weight = read(canaryWeightSchema, document, 'release', 'canary', 'weight');
  const first = read(batchesSchema, document, 'release', 'batches')?.[0];
  if (weight === undefined || first === undefined || first === 0 || weight <= first) return [];
  return [{ path: 'release.canary.weight', message: `must not be above the first batch, which is ${first}%` }];
}

function scaleBoundsInOrder(document: unknown): InputError[] {
  const min = read(instanceCount, document, 'scale', 'min');
  const max = read(instanceCount, document, 'scale', 'max');
  if (min === undefined || max === undefined || min <= max) return [];
  return [{ path: 'scale.min', message: `must not be above scale.max, which is ${max}` }];
}

/** The value at a path, parsed; undefined where it is missing or wrong, which is for the schema to say. */
function read<Schema extends z.ZodType>(
  schema: Schema,
  document: unknown,
  ...path: readonly string[]
): z.output<Schema> | undefined {
  const parsed = schema.safeParse(valueAt(document, path));
  return parsed.success ? parsed.data : undefined;
}

function keys(document: unknown, ...path: readonly string[]): string[] {
  return Object.keys(mappingOf(valueAt(document, path)));
}

function valueAt(document: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    const mapping = mappingOf(value);
    return Object.hasOwn(mapping, key) ? mapping[key] : undefined;
  }, document);
}

function mappingOf(value: unknown): Readonly<Record<string, unknown>> {
  const mapping = z.record(z.string(), z.unknown()).safeParse(value);
  return mapping.success ? mapping.data : {};
}
