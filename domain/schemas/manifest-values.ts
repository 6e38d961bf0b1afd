/** Values that several parts of `slipway.yaml` are made of. */
import { z } from 'zod';

export const DAY = 24 * 3600;

/** Environments of one service that a manifest may name. */
export const MOST_ENVIRONMENTS = 50;

/** RFC 1035 label: it becomes part of DNS names, Marathon ids and registry paths. */
export const dnsLabel = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, {
    error: 'must be a DNS label: lower-case letters, digits and -, at most 63, a letter first and no - last',
  })
  .meta({ description: 'A DNS label.' });

/** A whole number between two others, both allowed. */
export const wholeNumber = (least: number, most: number) =>
  z.int().min(least, bounds(least, most)).max(most, bounds(least, most));
export const bounds = (least: number, most: number) => ({ error: `must be between ${least} and ${most}` });

/** Instances of one service that anybody may ask for. */
export const instanceCount = wholeNumber(1, 10_000);
