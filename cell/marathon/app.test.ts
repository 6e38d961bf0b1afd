import { expect, it } from '@jest/globals';
import { readChanges } from './app.ts';

it('takes of constraints and health checks each once, in whatever order their members stand, and as many as a body holds', () => {
  const constraints = Array.from({ length: 30_000 }, (_, index) => ['hostname', 'IS', `h${index}`]);
  const checks = [
    { protocol: 'HTTP', path: '/a' },
    { path: '/a', protocol: 'HTTP' },
    { protocol: 'HTTP', path: '/b' },
  ] as const;
  const read = readChanges({ constraints: [...constraints, ...constraints], healthChecks: checks }, '/');
  expect(read.constraints?.length).toBe(constraints.length);
  expect(read.healthChecks?.map(({ path }) => path)).toEqual(['/a', '/b']);
});
