import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeRecord, RecordDecoder } from '../../activities/mesos/recordio.ts';
import { StreamCutter } from './stream-cutter.ts';

const cutAll = (seed: number, records: readonly Buffer[]): Buffer[] => {
  const cutter = new StreamCutter(seed);
  return [...records.flatMap((record) => cutter.add(record)), cutter.rest()];
};

describe('a cut stream', () => {
  it('carries the same bytes in chunks of at least one, and the same records', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.uint8Array({ maxLength: 2000 })), (seed, contents) => {
        const records = contents.map(encodeRecord);
        const chunks = cutAll(seed, records);
        expect(Buffer.concat(chunks)).toEqual(Buffer.concat(records));
        expect(chunks.slice(0, -1).every(({ length }) => length > 0)).toBe(true);
        const decoder = new RecordDecoder();
        expect(chunks.flatMap((chunk) => decoder.push(chunk))).toEqual(contents.map((bytes) => Buffer.from(bytes)));
      }),
    );
  });

  it('is cut inside records, and joins parts of several', () => {
    const records = Array.from({ length: 100 }, (_, index) => encodeRecord(`${index} `.repeat(30)));
    const chunks = cutAll(1, records);
    const ends = new Set(sums(records));
    const cuts = sums(chunks);
    expect(cuts.filter((cut) => !ends.has(cut)).length).toBeGreaterThan(100);
    const joined = chunks.filter((chunk, index) => {
      const end = cuts[index] ?? 0;
      return [...ends].some((seam) => seam > end - chunk.length && seam < end);
    });
    expect(joined.length).toBeGreaterThan(20);
  });

  it('is cut alike for the same seed', () => {
    const records = Array.from({ length: 10 }, (_, index) => encodeRecord('x'.repeat(index * 50)));
    expect(cutAll(7, records)).toEqual(cutAll(7, records));
    expect(cutAll(7, records)).not.toEqual(cutAll(8, records));
  });
});

function sums(parts: readonly Buffer[]): number[] {
  let sum = 0;
  return parts.map(({ length }) => {
    sum += length;
    return sum;
  });
}
