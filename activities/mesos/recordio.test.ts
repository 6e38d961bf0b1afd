import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeRecord, RecordDecoder } from './recordio.ts';

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

describe('RecordIO', () => {
  it('writes the length in bytes, not in characters', () => {
    expect(encodeRecord('é').toString('utf8')).toBe('2\né');
  });

  it('re-assembles any records from chunks cut anywhere', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary' }), { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (records, places) => {
          const decoder = new RecordDecoder();
          const bytes = Buffer.concat(records.map(encodeRecord));
          const read = cut(bytes, places).flatMap((chunk) => decoder.push(chunk));
          expect(read.map(String)).toEqual(records.map((record) => Buffer.from(record).toString()));
          expect(decoder.atBoundary).toBe(true);
        },
      ),
    );
  });

  it('knows that a stream was cut inside a record or a length', () => {
    for (const part of ['5\nabc', '1']) {
      const decoder = new RecordDecoder();
      expect(decoder.push(Buffer.from(part))).toEqual([]);
      expect(decoder.atBoundary).toBe(false);
    }
  });

  it.each(['{"type":"HEARTBEAT"}', '\n', '-1\nx', '1e3\nx', '123456789012345678901\n'])(
    'refuses %j as a length',
    (text) => {
      expect(() => new RecordDecoder().push(Buffer.from(text))).toThrow(/RecordIO/);
    },
  );

  it('refuses a record above its limit', () => {
    expect(() => new RecordDecoder(10).push(Buffer.from('11\n'))).toThrow(/up to 10/);
  });
});
