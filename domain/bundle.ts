import { digestOf } from './digest.ts';

const ID_DIGITS = 16;

/** What moves through environments as one thing. Two bundles with equal content have equal ids. */
export interface Bundle {
  /** `b-` and the first 16 hex digits of the SHA-256 of the other fields in canonical JSON. */
  readonly id: string;
  readonly service: string;
  readonly version: string;
  readonly commit: string;
  /** Repository and digest, such as `127.0.0.1:5000/sample@sha256:...`. */
  readonly image: ImageReference;
  /** Images of the test containers that were built with it, by their name in the manifest. */
  readonly testImages: Readonly<Record<string, ImageReference>>;
  /** Version of the service's configuration in the config centre; 0 where it has none. */
  readonly configVersion: number;
  /** SHA-256 of the manifest's text. */
  readonly manifestDigest: string;
}

export interface ImageReference {
  /** Name inside the registry, without its address, such as `sample`. */
  readonly repository: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
}

/** A bundle with its id, which is the same for the same content. */
export function bundleOf(content: Omit<Bundle, 'id'>): Bundle {
  const { service, version, commit, image, testImages, configVersion, manifestDigest } = content;
  // Named one by one: a field that somebody adds to the object they pass must not change the id.
  const named = { service, version, commit, image, testImages, configVersion, manifestDigest };
  return { id: `b-${digestOf(named).slice('sha256:'.length, 'sha256:'.length + ID_DIGITS)}`, ...named };
}

/** `<registry>/<repository>@<digest>`, as Docker pulls it. */
export function pullReference(registry: string, image: ImageReference): string {
  return `${registry}/${image.repository}@${image.digest}`;
}
