/**
 * True for 16 bytes, in base64, that say which version of UUID they are: Mesos takes no others (stout's `uuid.hpp`, by
 * the rules of Boost).
 */
export function isUuid(base64: string): boolean {
  const bytes = Buffer.from(base64, 'base64');
  const version = (bytes[6] ?? 0) >> 4;
  return bytes.length === 16 && version >= 1 && version <= 5;
}
