/** What a registry's repository held at one moment. */
export interface RepositoryObservation {
  readonly repository: string;
  readonly tags: readonly StoredTag[];
  /** Every digest that a tag points to. */
  readonly digests: readonly StoredDigest[];
}

export interface StoredTag {
  readonly tag: string;
  readonly digest: string;
}

export interface StoredDigest {
  readonly digest: string;
  /** ISO 8601, from the image's configuration; absent where it has none, as in an index. */
  readonly createdAt?: string;
  /** Of the manifest and everything it names, bytes. */
  readonly bytes: number;
  /** Manifests that an index names. */
  readonly children: readonly string[];
}
