import { describe, expect, it } from '@jest/globals';
import { mayPass } from './passing-status.ts';

describe('a status', () => {
  it.each([500, 502, 503, 504, 599, 408, 409, 423, 425, 429])('%i may pass', (status) => {
    expect(mayPass(status)).toBe(true);
  });

  it.each([200, 301, 400, 401, 403, 404, 405, 410, 412, 413, 422, 499])('%i stays', (status) => {
    expect(mayPass(status)).toBe(false);
  });
});
