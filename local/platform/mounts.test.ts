import { describe, expect, it } from '@jest/globals';
import { mountPointsBelow } from './mounts.ts';

describe('mountPointsBelow', () => {
  it('lists what is at or below the directory, deepest first, and nothing beside it', () => {
    const table = [
      '/dev/vda / ext4 rw 0 0',
      '/dev/vda /srv/a\\040b/data ext4 rw 0 0',
      'overlay /srv/a\\040b/data/overlay2/x/merged overlay rw 0 0',
      'tmpfs /srv/a\\040b/database tmpfs rw 0 0',
    ].join('\n');
    expect(mountPointsBelow('/srv/a b/data', table)).toEqual(['/srv/a b/data/overlay2/x/merged', '/srv/a b/data']);
  });
});
