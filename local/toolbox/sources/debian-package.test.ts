import { describe, expect, it } from '@jest/globals';
import { isStaleList } from './debian-package.ts';

describe('isStaleList', () => {
  it.each([
    'E: Unable to locate package haproxy',
    "E: Package 'influxdb' has no installation candidate",
    'E: Failed to fetch http://mirror/pool/h/haproxy_2.6.deb  404  Not Found [IP: 127.0.0.1 80]',
  ])('asks for fresh lists after %s', (output) => {
    expect(isStaleList(output)).toBe(true);
  });

  it('does not after another failure', () => {
    expect(isStaleList('E: dpkg was interrupted, you must manually run dpkg --configure -a')).toBe(false);
  });
});
