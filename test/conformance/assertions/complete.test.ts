import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const ASSERTIONS = 64;

it('every assertion from 1 to 64 is there exactly once', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'));
  const numbers = files
    .flatMap((name) => [
      ...readFileSync(join(import.meta.dirname, name), 'utf8').matchAll(
        /^ +(?:(?:under\.)?it|describe)\(\s*['"`](\d+)\. /gm,
      ),
    ])
    .map(([, number]) => Number(number));
  expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: ASSERTIONS }, (_, index) => index + 1));
});
