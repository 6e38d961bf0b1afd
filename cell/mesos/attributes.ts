/** The attribute text of an agent (`env:fat;rack:r1`), as Mesos' `--attributes` reads it. */
import type { Attribute, Range } from '../../activities/mesos/types.ts';
import { rangesText } from './resources.ts';
import { double } from './wire-json.ts';

/**
 * `name:value` pairs with semicolons between them. A number is a SCALAR, `[1-3,5-7]` RANGES, anything else TEXT.
 * Throws on a pair without a name or a value.
 */
export function parseAttributes(text: string): Attribute[] {
  return text
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => {
      const colon = pair.indexOf(':');
      const name = pair.slice(0, colon).trim();
      const value = pair.slice(colon + 1).trim();
      if (colon === -1 || name === '' || value === '') {
        throw new Error(`agent attributes ${JSON.stringify(text)}: ${JSON.stringify(pair)} is not name:value`);
      }
      return attribute(name, value);
    });
}

/** One flat object, as the state endpoints show attributes: text and ranges as strings, scalars as numbers. */
export function flatAttributes(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ name, text, scalar, ranges }) => [
      name,
      text?.value ?? (scalar === undefined ? rangesText(ranges?.range ?? []) : double(scalar.value)),
    ]),
  );
}

function attribute(name: string, value: string): Attribute {
  const ranges = parseRanges(value);
  if (ranges !== undefined) return { name, type: 'RANGES', ranges: { range: ranges } };
  if (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(value)) return { name, type: 'SCALAR', scalar: { value: Number(value) } };
  return { name, type: 'TEXT', text: { value } };
}

/** `[1-3,5-7]`; undefined for anything else. */
export function parseRanges(value: string): Range[] | undefined {
  if (!value.startsWith('[') || !value.endsWith(']')) return undefined;
  const parts = value
    .slice(1, -1)
    .split(',')
    .map((part) => /^\s*(\d+)-(\d+)\s*$/.exec(part));
  return parts.every((part) => part !== null)
    ? parts.map((part) => ({ begin: Number(part[1]), end: Number(part[2]) }))
    : undefined;
}
