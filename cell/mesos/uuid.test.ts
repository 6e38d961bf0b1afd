import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { isUuid } from './uuid.ts';

const base64 = (hex: string) => Buffer.from(hex.replaceAll('-', ''), 'hex').toString('base64');

describe('a UUID', () => {
  it.each([
    ['random', base64(randomUUID()), true],
    ['of version 1', base64('f81d4fae-7dec-11d0-a765-00a0c91e6bf6'), true],
    ['of version 5', base64('74738ff5-5367-5958-9aee-98fffdcd1876'), true],
    ['of no version', Buffer.alloc(16, 7).toString('base64'), false],
    ['of zeros', Buffer.alloc(16).toString('base64'), false],
    ['of version 6', base64('1ec9414c-232a-6b00-b3c8-9e6bdeced846'), false],
    ['too short', 'AAAA', false],
    ['of nothing', '', false],
  ])('%s', (_, bytes, is) => {
    expect(isUuid(bytes)).toBe(is);
  });
});
