/** What a registry's manifests and image configurations hold, as far as Slipway reads them. */
import { z } from 'zod';

/** Every kind of manifest; without one of them in `Accept` a registry converts or answers 404. */
export const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;

/** A manifest exactly as the registry stores it: its bytes are its identity, so it is never written anew. */
export interface StoredManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: string;
}

const digest = z.string().regex(/^[a-z0-9+._-]+:[0-9a-fA-F]{32,}$/);
const descriptor = z.looseObject({ mediaType: z.string().optional(), digest, size: z.number().nonnegative() });

/** An image: a configuration and layers. */
export const imageManifestSchema = z.looseObject({ config: descriptor, layers: z.array(descriptor) });

/** An index (or manifest list): manifests of several platforms or kinds. */
export const indexSchema = z.looseObject({ manifests: z.array(descriptor) });

/** The part of an image's configuration that says when it was made. */
export const imageConfigSchema = z.looseObject({ created: z.string().optional() });

export const tagListSchema = z.looseObject({ tags: z.array(z.string()).nullish() });

export const tokenSchema = z.looseObject({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().positive().optional(),
});
