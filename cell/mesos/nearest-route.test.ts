import { describe, expect, it } from '@jest/globals';
import { nearestRoute } from './nearest-route.ts';

const ROUTES = ['/state', '/api/v1', '/api/v1/scheduler', '/maintenance/schedule'];

describe('nearestRoute', () => {
  it.each([
    ['/state', '/state'],
    ['/state/', '/state'],
    ['/state/foo/bar', '/state'],
    ['/api/v1/operator', '/api/v1'],
    ['/api/v1/scheduler', '/api/v1/scheduler'],
    ['/api/v1/scheduler/x', '/api/v1/scheduler'],
    ['/state.json', undefined],
    ['/statement', undefined],
    ['/maintenance', undefined],
    ['/', undefined],
    ['', undefined],
  ])('of %s is %s', (path, route) => {
    expect(nearestRoute(path, (each) => ROUTES.includes(each))).toBe(route);
  });
});
