/** Rules between the fields of the section `release` of `slipway.yaml`. */
import type { InputError } from '../failures.ts';
import { pathText } from './input-errors.ts';
import { canaryWeightSchema, DEFAULT_JUDGE, judgeNameSchema } from './manifest-release.ts';
import { instanceCount } from './manifest-values.ts';
import { nearestName } from './nearest-name.ts';
import { isMapping, items, keys, read } from './written-document.ts';

/** @param document the whole document as it was read from YAML, right or wrong */
export function releaseRuleErrors(document: unknown): InputError[] {
  return [
    ...entriesHaveOneKey(document),
    ...weightsRise(document),
    ...instancesDoNotFall(document),
    ...judgesAreKnown(document),
    ...judgesHaveHolds(document),
  ];
}

const entryPath = (...rest: readonly (string | number)[]) => pathText(['release', 'canary', ...rest]);

function entriesHaveOneKey(document: unknown): InputError[] {
  return items(document, 'release', 'canary').flatMap((entry, index) => {
    if (!isMapping(entry) || Object.keys(entry).length === 1) return [];
    const message = 'write one key an entry: instances, weight, hold, judge or approve';
    return [{ path: entryPath(index), message }];
  });
}

function weightsRise(document: unknown): InputError[] {
  let before = 0;
  return items(document, 'release', 'canary').flatMap((_, index) => {
    const weight = read(canaryWeightSchema, document, 'release', 'canary', index, 'weight');
    if (weight === undefined) return [];
    const wrong = weight <= before;
    const error = {
      path: entryPath(index, 'weight'),
      message: `must be above the one before it, which is ${before}%`,
    };
    before = Math.max(before, weight);
    return wrong ? [error] : [];
  });
}

function instancesDoNotFall(document: unknown): InputError[] {
  let before = 0;
  return items(document, 'release', 'canary').flatMap((_, index) => {
    const instances = read(instanceCount, document, 'release', 'canary', index, 'instances');
    if (instances === undefined) return [];
    const wrong = instances < before;
    const error = {
      path: entryPath(index, 'instances'),
      message: `must not be below the one before it, which is ${before}`,
    };
    before = Math.max(before, instances);
    return wrong ? [error] : [];
  });
}

function judgesAreKnown(document: unknown): InputError[] {
  const known = [...new Set([DEFAULT_JUDGE, ...keys(document, 'release', 'metrics')])];
  return items(document, 'release', 'canary').flatMap((_, index) => {
    const name = read(judgeNameSchema, document, 'release', 'canary', index, 'judge');
    if (name === undefined || known.includes(name)) return [];
    const meant = nearestName(name, known);
    const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
    return [{ path: entryPath(index, 'judge'), message: `${name} is not one of release.metrics; ${hint}` }];
  });
}

/** A judge needs figures of the traffic that it judges. */
function judgesHaveHolds(document: unknown): InputError[] {
  let weighted = false;
  let held = false;
  return items(document, 'release', 'canary').flatMap((entry, index) => {
    if (!isMapping(entry)) return [];
    if ('weight' in entry) {
      weighted = true;
      held = false;
    }
    if ('hold' in entry) held = true;
    if (!('judge' in entry) || (weighted && held)) return [];
    const missing = weighted ? 'a hold between it and the weight before it' : 'a weight and a hold before it';
    return [{ path: entryPath(index, 'judge'), message: `needs ${missing}, so that there are figures` }];
  });
}
