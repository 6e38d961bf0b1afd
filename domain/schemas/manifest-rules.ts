/**
 * Rules between fields of `slipway.yaml`. Each looks only at the fields it compares and stays silent where these are
 * themselves wrong, so that a mistake in one place hides none in another.
 */
import type { InputError } from '../failures.ts';
import { pathText } from './input-errors.ts';
import { releaseRuleErrors } from './manifest-release-rules.ts';
import { dnsLabel, instanceCount } from './manifest-values.ts';
import { nearestName } from './nearest-name.ts';
import { items, keys, read } from './written-document.ts';

/** Longest DNS label, RFC 1035 section 2.3.4. */
const LONGEST_LABEL = 63;

/** @param document the document as it was read from YAML, right or wrong */
export function manifestRuleErrors(document: unknown): InputError[] {
  return [
    dnsNamesFit,
    testsNameKnownEnvironments,
    windowsNameKnownEnvironments,
    releaseRuleErrors,
    scaleBoundsInOrder,
  ].flatMap((rule) => rule(document));
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
  return keys(document, 'tests').flatMap((test) => environmentErrors(document, ['tests', test, 'environments']));
}

function windowsNameKnownEnvironments(document: unknown): InputError[] {
  return items(document, 'release', 'windows').flatMap((_, index) =>
    environmentErrors(document, ['release', 'windows', index, 'environments']),
  );
}

/** What is wrong with a list of environments at a path. */
function environmentErrors(document: unknown, at: readonly (string | number)[]): InputError[] {
  const known = keys(document, 'environments');
  if (known.length === 0) return [];
  const seen = new Set<string>();
  return items(document, ...at).flatMap((name, index) => {
    if (typeof name !== 'string' || !dnsLabel.safeParse(name).success) return [];
    const path = pathText([...at, index]);
    if (seen.has(name)) return [{ path, message: `${name} is named twice` }];
    seen.add(name);
    if (known.includes(name)) return [];
    const meant = nearestName(name, known);
    const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
    return [{ path, message: `${name} is not one of the environments; ${hint}` }];
  });
}

function scaleBoundsInOrder(document: unknown): InputError[] {
  const min = read(instanceCount, document, 'scale', 'min');
  const max = read(instanceCount, document, 'scale', 'max');
  if (min === undefined || max === undefined || min <= max) return [];
  return [{ path: 'scale.min', message: `must not be above scale.max, which is ${max}` }];
}
