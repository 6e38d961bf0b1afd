import { describe, expect, it } from '@jest/globals';
import { acceptsGzip } from './accept-encoding.ts';

describe('acceptsGzip', () => {
  it.each(['gzip', 'deflate, GZIP', 'gzip;q=0.5, identity', '*', 'br;q=1.0, *;q=0.1'])('does of %s', (header) => {
    expect(acceptsGzip(header)).toBe(true);
  });

  it.each([undefined, '', 'identity', 'deflate, br', 'gzip;q=0', 'gzip;q=0.0, *', '*;q=0'])(
    'does not of %s',
    (header) => {
      expect(acceptsGzip(header)).toBe(false);
    },
  );
});
