/** What moves through environments as one thing. Two bundles with equal content have equal ids. */
export interface Bundle {
  /** `b-` and the first 16 hex digits of the SHA-256 of the other fields in canonical JSON. */
  readonly id: string;
  readonly service: string;
  readonly version: string;
  readonly commit: string;
  /** Repository and digest, such as `127.0.0.1:5000/sample@sha256:...`. */
  readonly image: ImageReference;
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
