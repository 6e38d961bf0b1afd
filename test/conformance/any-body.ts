import fc from 'fast-check';

/** Any JSON, not deep. */
export const anyJson = fc.jsonValue({ maxDepth: 3 });

/** Bodies that nobody should send: JSON that looks like what is meant, any JSON, and any bytes. */
export function anyBody(...alike: readonly fc.Arbitrary<unknown>[]): fc.Arbitrary<string | Uint8Array> {
  return fc.oneof(
    ...[...alike, anyJson].map((values) => values.map((value) => JSON.stringify(value))),
    fc.uint8Array({ maxLength: 60 }),
  );
}
