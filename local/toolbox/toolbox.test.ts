import { describe, expect, it } from '@jest/globals';
import { isDebian12 } from './toolbox.ts';

describe('isDebian12', () => {
  it('reads os-release(5), quoted or not', () => {
    expect(isDebian12('NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n')).toBe(true);
    expect(isDebian12('VERSION_ID=12\nID=debian\n')).toBe(true);
  });

  it('is not another release or another distribution', () => {
    expect(isDebian12('VERSION_ID="13"\nID=debian\n')).toBe(false);
    expect(isDebian12('VERSION_ID="12"\nID=linuxmint\nID_LIKE=debian\n')).toBe(false);
    expect(isDebian12('')).toBe(false);
  });
});
